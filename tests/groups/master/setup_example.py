"""The set-up of the master agent of spec B, §1.8: its five lines, word for word."""

from __future__ import annotations

from moothall import ANPUser
from moothall.groups.master.agent import MasterControlAgent


async def set_up() -> MasterControlAgent:
    # 启动主控Agent
    master = MasterControlAgent.from_did("did:wba:master:control")
    await master.setup_permission_group("permission_control_group")

    # 注册服务Agent
    service_agent = ANPUser.from_did("did:wba:service:weather")
    await master.register_service_agent(service_agent)

    # 启动服务
    await master.start_service_discovery()
    return master
