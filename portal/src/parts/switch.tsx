// A sentence that holds or does not: a checkbox that looks like a switch. While a change is being
// stored it stays in focus, and takes no other.
interface SwitchProps {
  id: string;
  label: string;
  help: string;
  isOn: boolean;
  isBusy: boolean;
  isOff?: boolean; // it has no say at the moment
  onChange: (isOn: boolean) => void;
}

export function Switch({ id, label, help, isOn, isBusy, isOff, onChange }: SwitchProps) {
  return (
    <div class="switch">
      <label for={id}>
        <span class="switch-label">{label}</span>
        <input
          id={id}
          type="checkbox"
          role="switch"
          checked={isOn}
          aria-checked={isOn}
          aria-busy={isBusy}
          disabled={isOff ?? false}
          aria-describedby={`${id}-help`}
          onChange={(e) => {
            const wanted = e.currentTarget.checked;
            e.currentTarget.checked = isOn; // until it is stored
            if (!isBusy) onChange(wanted);
          }}
        />
      </label>
      <p id={`${id}-help`}>{help}</p>
    </div>
  );
}
