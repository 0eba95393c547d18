export const errors = {
  code: (code: string) => `错误 ${code}`,
  retryAfter: (time: string) => `请在 ${time}后再试`,
  offline: {
    message: "连不上节点",
    why: "网络断开，或者节点没有运行。",
    hint: "检查网络，确认节点在运行，然后再试一次。",
  },
  badAnswer: {
    message: "节点的回答读不懂",
    why: "回答不是约定的格式，可能来自中间的代理。",
    hint: "稍后再试；如果一直这样，请告诉节点的管理员。",
  },
};
