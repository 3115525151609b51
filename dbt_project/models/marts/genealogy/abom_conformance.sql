with planned_lines as (
    select * from {{ ref('int_conformance__lines') }}
),

unplanned as (
    select * from {{ ref('int_conformance__installed') }}
    where mbom_item_id is null
),

units as (
    select * from {{ ref('int_abom__units') }}
),

parts as (
    select * from {{ ref('stg_ion__parts') }}
),

mboms as (
    select * from {{ ref('stg_ion__mboms') }}
),

controlled as (
    select
        parent_part_inventory_id,
        origin_mbom_item_id,
        abom_installation_id
    from {{ ref('int_abom__lines') }}
    where is_export_controlled
),

controlled_lines as (
    select distinct
        parent_part_inventory_id,
        origin_mbom_item_id
    from controlled
),

controlled_installations as (
    select distinct
        parent_part_inventory_id,
        abom_installation_id
    from controlled
),

lines as (
    select
        part_inventory_id,
        'm' || cast(mbom_item_id as string) as line_key,
        status,
        abom_generation,
        mbom_id,
        mbom_item_id,
        build_requirement_id,
        cast(null as bigint) as abom_installation_id,
        part_id,
        installed_part_numbers,
        quantity_planned,
        quantity_installed,
        quantity_difference,
        quantity_substitute,
        quantity_other_revision,
        quantity_wrong_part,
        designators_planned,
        designators_installed,
        designator_match,
        is_made_on_assembly
    from planned_lines
    union all
    select
        part_inventory_id,
        'i' || cast(abom_installation_id as string) as line_key,
        'unplanned' as status,
        abom_generation,
        cast(null as bigint) as mbom_id,
        mbom_item_id,
        build_requirement_id,
        abom_installation_id,
        child_part_id as part_id,
        {{ list_with('child_part_number') }} as installed_part_numbers,
        cast(null as double) as quantity_planned,
        quantity_installed,
        quantity_installed as quantity_difference,
        0 as quantity_substitute,
        0 as quantity_other_revision,
        0 as quantity_wrong_part,
        {{ empty_list() }} as designators_planned,
        coalesce({{ designator_places('reference_designator') | indent(8) }}, {{ empty_list() }})
            as designators_installed,
        cast(null as string) as designator_match,
        is_made_on_assembly
    from unplanned
)

select
    lines.part_inventory_id,
    lines.line_key,
    units.part_number as unit_part_number,
    units.part_revision as unit_part_revision,
    units.serial_number,
    units.lot_number,
    lines.status,
    lines.mbom_id,
    mboms.mbom_version,
    lines.mbom_item_id,
    lines.abom_generation,
    lines.build_requirement_id,
    lines.abom_installation_id,
    lines.part_id,
    parts.part_number,
    parts.part_revision,
    lines.installed_part_numbers,
    {{ list_text('lines.installed_part_numbers') }} as installed_part_numbers_text,
    lines.quantity_planned,
    lines.quantity_installed,
    lines.quantity_difference,
    lines.quantity_substitute,
    lines.quantity_other_revision,
    lines.quantity_wrong_part,
    lines.designators_planned,
    {{ list_text('lines.designators_planned') }} as designators_planned_text,
    lines.designators_installed,
    {{ list_text('lines.designators_installed') }} as designators_installed_text,
    lines.designator_match,
    lines.is_made_on_assembly,
    units.is_export_controlled
    or {{ is_export_controlled('mbom_items', 'lines.mbom_item_id') }}
    or controlled_lines.parent_part_inventory_id is not null
    or controlled_installations.parent_part_inventory_id is not null as is_export_controlled
from lines
inner join units on lines.part_inventory_id = units.part_inventory_id
left join parts on lines.part_id = parts.part_id
left join mboms on lines.mbom_id = mboms.mbom_id
left join controlled_lines
    on
        lines.part_inventory_id = controlled_lines.parent_part_inventory_id
        and lines.mbom_item_id = controlled_lines.origin_mbom_item_id
left join controlled_installations
    on
        lines.part_inventory_id = controlled_installations.parent_part_inventory_id
        and lines.abom_installation_id = controlled_installations.abom_installation_id
order by lines.part_inventory_id, lines.line_key
