with uses as (
    select * from {{ ref('int_abom__where_used') }}
),

units as (
    select * from {{ ref('int_abom__units') }}
),

-- A unit that only members of its own cycle hold counts as top-level, so that a recall still finds it.
installed as (
    select distinct part_inventory_id
    from {{ ref('int_abom__tree_lines') }}
    where part_inventory_id is not null
)

-- Already sorted by component, and the joins keep that order: the rows of one component are contiguous in the file.
select
    uses.component_part_inventory_id,
    uses.ancestor_part_inventory_id,
    components.part_id as component_part_id,
    components.part_number as component_part_number,
    components.part_revision as component_part_revision,
    components.serial_number as component_serial_number,
    components.lot_number as component_lot_number,
    ancestors.part_id as ancestor_part_id,
    ancestors.part_number as ancestor_part_number,
    ancestors.part_revision as ancestor_part_revision,
    ancestors.serial_number as ancestor_serial_number,
    ancestors.lot_number as ancestor_lot_number,
    installed.part_inventory_id is null as is_top_level,
    uses.min_depth,
    uses.path_count,
    uses.quantity_extended,
    components.is_export_controlled or ancestors.is_export_controlled as is_export_controlled
from uses
inner join units as components on uses.component_part_inventory_id = components.part_inventory_id
inner join units as ancestors on uses.ancestor_part_inventory_id = ancestors.part_inventory_id
left join installed on uses.ancestor_part_inventory_id = installed.part_inventory_id
