{#- Whether a line on one side of a comparison is one of two paired lines. -#}
{% macro is_paired_line(line, pair) -%}
    (
        {{ line }}.mbom_id = {{ pair }}.mbom_id
        and {{ line }}.state_number = {{ pair }}.state_number
        and {{ line }}.mbom_item_id
        = case when {{ line }}.side = 'after' then {{ pair }}.mbom_item_id_after else {{ pair }}.mbom_item_id_before end
    )
{%- endmacro %}
