{#- No row of ION is lost on its way to a reference mart, and none is there twice. -#}
{%- set entities = ['parts', 'part_inventories', 'locations', 'suppliers', 'users', 'procedures'] -%}

{% for entity in entities %}
select
    '{{ entity }}' as mart,
    (select count(*) from {{ source('ion', entity) }}) as expected_rows,
    (select count(*) from {{ ref(entity) }}) as found_rows
where expected_rows is distinct from found_rows
union all
{% endfor %}
select
    'procedure_steps' as mart,
    (select count(*) from {{ source('ion', 'steps') }}) as expected_rows,
    (select count(*) from {{ ref('procedure_steps') }}) as found_rows
where expected_rows is distinct from found_rows
union all
select
    'abom_hierarchy, roots' as mart,
    (select count(*) from {{ source('ion', 'part_inventories') }}) as expected_rows,
    (select count(*) from {{ ref('abom_hierarchy') }} where depth = 0) as found_rows
where expected_rows is distinct from found_rows
union all
select
    'attributes' as mart,
    {% for owner in attribute_owners() %}(select count(*) from {{ source('ion', owner ~ '_attributes') }}){{ ' + ' if not loop.last }}{% endfor %} as expected_rows,
    (select count(*) from {{ ref('attributes') }}) as found_rows
where expected_rows is distinct from found_rows
