{% set findings = [
    'conforming_substitute', 'conforming_revision', 'missing', 'short', 'over', 'wrong_part', 'unplanned',
    'designator_mismatch'
] %}

with lines as (
    select * from {{ ref('int_conformance__tree_lines') }}
),

units as (
    select * from {{ ref('int_abom__units') }}
),

inventories as (
    select * from {{ ref('stg_ion__part_inventories') }}
),

counted as (
    select
        root_part_inventory_id,
        max(case when part_inventory_id = root_part_inventory_id then mbom_version end) as mbom_version,
        count(distinct part_inventory_id) as unit_count,
        count(distinct case when line_key is not null then part_inventory_id end) as compared_unit_count,
        count(distinct case when not conforms then part_inventory_id end) as nonconforming_unit_count,
        count(line_key) as line_count,
        count(case when not conforms then line_key end) as nonconforming_line_count,
        {%- for finding in findings %}
            count(case when finding = '{{ finding }}' then line_key end) as {{ finding }}_count,
        {%- endfor %}
        bool_or(is_cut_off) as is_cut_off,
        bool_or(is_export_controlled) as is_export_controlled
    from lines
    group by root_part_inventory_id
),

found_places as (
    select
        root_part_inventory_id,
        {{ list_of('place', 'place, line_key') }} as places
    from lines
    where not conforms
    group by root_part_inventory_id
)

select
    counted.root_part_inventory_id as part_inventory_id,
    units.part_id,
    units.part_number,
    units.part_revision,
    units.serial_number,
    units.lot_number,
    inventories.status as inventory_status,
    counted.mbom_version,
    case
        when counted.nonconforming_line_count > 0 then 'not_conforming'
        when counted.is_cut_off then 'not_known'
        when counted.mbom_version is null then 'no_plan'
        else 'conforming'
    end as verdict,
    counted.unit_count,
    counted.compared_unit_count,
    counted.nonconforming_unit_count,
    counted.line_count,
    counted.nonconforming_line_count,
    {%- for finding in findings %}
        counted.{{ finding }}_count,
    {%- endfor %}
    counted.is_cut_off,
    coalesce(found_places.places, {{ empty_list() }}) as places,
    {{ list_text('found_places.places', '; ') }} as places_text,
    counted.is_export_controlled
from counted
inner join units on counted.root_part_inventory_id = units.part_inventory_id
inner join inventories on counted.root_part_inventory_id = inventories.part_inventory_id
left join found_places on counted.root_part_inventory_id = found_places.root_part_inventory_id
order by part_inventory_id
