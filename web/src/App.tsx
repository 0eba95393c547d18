import { Suspense } from "react";
import { lazyPage } from "./hooks/lazyPage";
import { type Route, useHashRoute } from "./hooks/useHashRoute";
import { ErrorBoundary } from "./layout/ErrorBoundary";
import { Shell } from "./layout/Shell";
import { UnknownPage } from "./layout/UnknownPage";
import { FormPage } from "./pages/FormPage";
import { Skeleton } from "./ui";

const NegotiationPage = lazyPage(async () => (await import("./pages/NegotiationPage")).NegotiationPage);
const ListPage = lazyPage(async () => (await import("./pages/ListPage")).ListPage);
const AgentsPage = lazyPage(async () => (await import("./pages/AgentsPage")).AgentsPage);
const ReplayPage = lazyPage(async () => (await import("./pages/ReplayPage")).ReplayPage);
const JoinPage = lazyPage(async () => (await import("./pages/JoinPage")).JoinPage);

export function App() {
  const route = useHashRoute();
  const place = JSON.stringify(route);
  return (
    <Shell route={route}>
      <ErrorBoundary key={place}>
        <Suspense fallback={<Skeleton lines={6} />}>
          <Page key={place} route={route} />
        </Suspense>
      </ErrorBoundary>
    </Shell>
  );
}

function Page({ route }: { readonly route: Route }) {
  switch (route.page) {
    case "form":
      return <FormPage />;
    case "negotiation":
      return <NegotiationPage demandId={route.demandId} />;
    case "list":
      return <ListPage />;
    case "agents":
      return <AgentsPage />;
    case "replay":
      return <ReplayPage demandId={route.demandId} />;
    case "join":
      return <JoinPage channelId={route.channelId} token={route.token} />;
    case "unknown":
      return <UnknownPage />;
  }
}
