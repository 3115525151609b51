{#- What can have happened to a line of an as-built BOM, as a text to be split; the last one happened further down. -#}
{% macro abom_changes() -%}
installed uninstalled replaced quantity_changed moved requirement_added requirement_removed indirect
{%- endmacro %}
