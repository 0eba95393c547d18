/** The way from an event to its candidate, where the page shows one. */

function find(agentId: string): HTMLElement | null {
  return document.querySelector<HTMLElement>(`[data-testid="${CSS.escape(`candidate-${agentId}`)}"]`);
}

export const candidateOnPage = (agentId: string): boolean => find(agentId) !== null;

export function showCandidate(agentId: string): void {
  const candidate = find(agentId);
  if (!candidate) return;
  if (candidate.tabIndex < 0) candidate.tabIndex = -1; // so that it can take the focus
  candidate.scrollIntoView({ block: "center" });
  candidate.focus({ preventScroll: true });
}
