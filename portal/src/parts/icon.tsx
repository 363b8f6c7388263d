// Line icons, drawn here. They say nothing that a text beside them does not.
const paths = {
  home: 'M4 11.5 12 4l8 7.5M6.5 10v9.5h11V10M10 19.5v-5h4v5',
  syringe:
    'M17 3.5 20.5 7M18.7 5.3 8.5 15.5M14 6.5l3.5 3.5M11.5 9l1.8 1.8M9 11.5l1.8 1.8M8.5 15.5l-5 5M7 14l3 3',
  record: 'M6 3.5h8.5L18.5 8v12.5H6zM14 3.5V8h4.5M9 12.5h6M9 16h4',
  visits: 'M5 6h14v14H5zM5 10h14M8.5 3.5v4M15.5 3.5v4M9 14.5l2 2 4-4',
  shield: 'M12 3.5 5 6v5.5c0 4.3 2.9 7.6 7 9 4.1-1.4 7-4.7 7-9V6zM9 12l2.2 2.2L15.2 10',
  eye: 'M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 9.3a2.7 2.7 0 1 0 0 5.4 2.7 2.7 0 0 0 0-5.4z',
  check: 'M5 12.5 10 17.5 19.5 7',
  clock: 'M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 7.5V12l3 2',
  alert: 'M12 4.5 21 20H3zM12 10v4.5M12 17.2v.3',
  download: 'M12 4v11M7.5 11 12 15.5 16.5 11M4.5 19.5h15',
  person: 'M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM4.5 20c.8-3.6 3.8-5.5 7.5-5.5s6.7 1.9 7.5 5.5',
  search: 'M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM15.5 15.5 20.5 20.5',
  leave: 'M10 4.5H5v15h5M14.5 8l4 4-4 4M18 12H9.5',
  pill: 'M8.2 19.4a4.3 4.3 0 0 1-3.6-7.3l6.5-6.5a4.3 4.3 0 0 1 6.1 6.1l-6.5 6.5a4.3 4.3 0 0 1-2.5 1.2zM8.5 9l6 6',
  heart: 'M12 20S4 15.3 4 9.7A4.3 4.3 0 0 1 12 7.4a4.3 4.3 0 0 1 8 2.3C20 15.3 12 20 12 20z',
  flask: 'M9.5 3.5h5M10.5 3.5v6L5 18.8c-.5.9.1 1.7 1 1.7h12c.9 0 1.5-.8 1-1.7L13.5 9.5v-6M8 15h8',
  globe:
    'M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM3.5 12h17M12 3.5c2.5 2.5 3.5 5.5 3.5 8.5s-1 6-3.5 8.5c-2.5-2.5-3.5-5.5-3.5-8.5s1-6 3.5-8.5z',
  chart: 'M4 20h16M6.5 16.5v-4M11 16.5v-9M15.5 16.5v-6M20 16.5V5',
  papers: 'M8.5 3.5h6L18.5 7v10h-10zM14.5 3.5V7h4M15.5 17v3.5h-10V7h3',
  code: 'M4.5 4.5h5.5v5.5H4.5zM14 4.5h5.5v5.5H14zM4.5 14h5.5v5.5H4.5zM14 14h2.5v2.5H14zM19.5 14v2.5M14 19.5h2.5M19.5 19v.5',
  back: 'M14.5 5.5 8 12l6.5 6.5',
  add: 'M12 5v14M5 12h14',
  scales:
    'M12 4v16M8 20h8M5 6.5h14M5 6.5 2.5 13.5a2.5 2.5 0 0 0 5 0zM19 6.5l-2.5 7a2.5 2.5 0 0 0 5 0z',
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  );
}
