export function ReplayPage({ demandId }: { readonly demandId: string | null }) {
  return <h1>{demandId}</h1>;
}
