{#- Kinds of change of an as-built BOM line, as one text to split; the last one is a change further down. -#}
{% macro abom_changes() -%}
installed uninstalled replaced quantity_changed moved requirement_added requirement_removed indirect
{%- endmacro %}
