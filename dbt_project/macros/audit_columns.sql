{#- Creation and last change of a row, with user and time: the same column names in every staging view. -#}
{% macro audit_columns() %}
        _created as created_at,
        created_by_id,
        _updated as updated_at,
        updated_by_id
{%- endmacro %}
