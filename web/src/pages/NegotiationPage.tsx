export function NegotiationPage({ demandId }: { readonly demandId: string }) {
  return <h1>{demandId}</h1>;
}
