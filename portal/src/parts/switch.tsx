// A sentence that holds or does not: a checkbox that looks like a switch.
interface SwitchProps {
  id: string;
  label: string;
  help: string;
  isOn: boolean;
  isBusy: boolean;
  onChange: (isOn: boolean) => void;
}

export function Switch({ id, label, help, isOn, isBusy, onChange }: SwitchProps) {
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
          disabled={isBusy}
          aria-describedby={`${id}-help`}
          onChange={(e) => onChange(e.currentTarget.checked)}
        />
      </label>
      <p id={`${id}-help`}>{help}</p>
    </div>
  );
}
