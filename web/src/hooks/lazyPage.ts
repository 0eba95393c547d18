/** A page that is fetched when somebody goes there. */

import { type ComponentType, lazy } from "react";

/** The file of a page is not to be had: no network, or the node was upgraded and has other files now. */
export class PageNotLoaded extends Error {
  override readonly name = "PageNotLoaded";
}

export function lazyPage<Props>(load: () => Promise<ComponentType<Props>>) {
  return lazy(async () => {
    try {
      return { default: await load() };
    } catch (thrown) {
      throw new PageNotLoaded(thrown instanceof Error ? thrown.message : String(thrown));
    }
  });
}
