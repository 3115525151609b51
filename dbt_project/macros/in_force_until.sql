{#- Whether the last moment before an instant is in a period. Instant null means now; end null means open. -#}
{% macro in_force_until(period, instant) -%}
    (
        ({{ instant }} is null and {{ period }}.in_force_to is null)
        or (
            {{ period }}.in_force_from < {{ instant }}
            and ({{ period }}.in_force_to is null or {{ instant }} <= {{ period }}.in_force_to)
        )
    )
{%- endmacro %}
