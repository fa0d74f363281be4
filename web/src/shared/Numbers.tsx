// A row of figures, each with its range or its n.

export interface NumberShown {
  label: string;
  value: string;
  likely?: string;
}

export function Numbers({ figures }: { figures: readonly NumberShown[] }) {
  return (
    <dl className="numbers">
      {figures.map((figure) => (
        <div key={figure.label}>
          <dt>{figure.label}</dt>
          <dd>
            {figure.value}
            {figure.likely && <span className="likely">{figure.likely}</span>}
          </dd>
        </div>
      ))}
    </dl>
  );
}
