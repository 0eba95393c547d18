"""What protocols save: a workload of queries between agents, its oracle, a scripted model, and five ways to answer it.

Nothing here comes from anybody's data: agents, servers, tasks, words and queries are made from a seed. Of the published
workload only the counts are taken (how many agents, pairs, triples, and how skewed).
"""
