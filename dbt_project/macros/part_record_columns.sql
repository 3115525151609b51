{#-
    The columns of a record that names a part revision, the same for each kind of record, so that
    `int_supply__part_records` can put the kinds one below the other. A record has what is not given as null.
-#}
{% macro part_record_columns(
    figure, table, key, name, quantity=none, quantity_open=none, unit=none, family=none, due_at=none, part='part_id',
    record_type=none, status='status', is_export_controlled='is_export_controlled'
) -%}
    '{{ figure }}' as figure,
        {{ record_type or "'" ~ table ~ "'" }} as record_type,
        {{ key }} as record_id,
        {{ part }} as part_id,
        cast({{ family or 'null' }} as bigint) as procedure_family_id,
        {{ name }} as record_name,
        {{ status }} as status,
        cast({{ quantity or 'null' }} as double) as quantity,
        cast({{ quantity_open or 'null' }} as double) as quantity_open,
        cast({{ unit or 'null' }} as string) as unit_of_measure,
        cast({{ due_at or 'null' }} as {{ type_instant() }}) as due_at,
        coalesce({{ is_export_controlled }}, false) as is_export_controlled
{%- endmacro %}

{#- A number, or 0 for a negative one; null stays null, where `greatest` would ignore it. -#}
{% macro not_below_zero(number) -%}
    case when {{ number }} < 0 then 0 else {{ number }} end
{%- endmacro %}
