{#- Whether a kit still waits for something: it is neither delivered, completed nor cancelled; unknown states do. -#}
{% macro kit_is_open(status) -%}
    coalesce({{ status }} not in ('DELIVERED', 'COMPLETED', 'CANCELED'), true)
{%- endmacro %}
