{#- The last moment before an instant falls into a period; null as the instant is now, as the period's end is open. -#}
{% macro in_force_until(period, instant) -%}
    (
        ({{ instant }} is null and {{ period }}.in_force_to is null)
        or (
            {{ period }}.in_force_from < {{ instant }}
            and ({{ period }}.in_force_to is null or {{ instant }} <= {{ period }}.in_force_to)
        )
    )
{%- endmacro %}
