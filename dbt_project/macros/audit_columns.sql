{#- Who made and last changed a row, and when: the same columns under the same names in every staging view. -#}
{% macro audit_columns() %}
        _created as created_at,
        created_by_id,
        _updated as updated_at,
        updated_by_id
{%- endmacro %}
