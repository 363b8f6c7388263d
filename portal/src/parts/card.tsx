import type { ComponentChildren } from 'preact';
import { Icon, type IconName } from './icon';

interface CardProps {
  title?: string;
  icon?: IconName;
  class?: string;
  children: ComponentChildren;
}

export function Card({ title, icon, class: more, children }: CardProps) {
  return (
    <section class={`card ${more ?? ''}`}>
      {title && (
        <h2>
          {icon && <Icon name={icon} />}
          {title}
        </h2>
      )}
      {children}
    </section>
  );
}
