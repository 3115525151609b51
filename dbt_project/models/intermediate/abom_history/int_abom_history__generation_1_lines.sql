with items as (
    {{ spans_of(ref('stg_ion_history__abom_items')) }}
),

edges as (
    {{ spans_of(ref('stg_ion_history__abom_edges')) }}
),

designators as (
    {{ spans_of(ref('stg_ion_history__abom_item_reference_designators')) }}
),

-- Plan attributes of a line come from the current plan; their history is not used.
planned as (
    select * from {{ ref('stg_ion__mbom_items') }}
),

parent_edges as (
    select
        parents.part_inventory_id as parent_part_inventory_id,
        edges.child_abom_item_id as abom_item_id,
        {{ common_span('edges', 'parents') }}
    from edges
    inner join items as parents
        on edges.parent_abom_item_id = parents.abom_item_id and {{ overlap('edges', 'parents') }}
    where parents.part_inventory_id is not null
),

-- A lot in several trees has a line in each tree, and each of these lines has the same children: count them once.
held as (
    {{ united_spans('parent_edges', ['parent_part_inventory_id', 'abom_item_id']) }}
),

instants as (
    select
        abom_item_id,
        valid_from
    from designators
    union
    select
        abom_item_id,
        valid_until as valid_from
    from designators
    where valid_until < {{ end_of_time() }}
    union
    select
        abom_item_id,
        {{ start_of_time() }} as valid_from
    from designators
),

slices as (
    select
        abom_item_id,
        valid_from,
        coalesce(lead(valid_from) over (partition by abom_item_id order by valid_from), {{ end_of_time() }})
            as valid_until
    from instants
),

-- ION keeps at most one designator per line; if there are more, the lowest id is used.
names as (
    select
        slices.abom_item_id,
        slices.valid_from,
        slices.valid_until,
        min_by(designators.reference_designator, designators.abom_item_reference_designator_id) as reference_designator
    from slices
    left join designators
        on slices.abom_item_id = designators.abom_item_id and {{ overlap('slices', 'designators') }}
    group by slices.abom_item_id, slices.valid_from, slices.valid_until
),

named_items as (
    select
        items.abom_item_id,
        items.part_inventory_id,
        items.part_id,
        items.origin_mbom_item_id,
        coalesce(items.quantity_per_parent, items.quantity_fixed) as quantity_required,
        names.reference_designator,
        items.quantity,
        items.created_at,
        items.updated_at,
        items.created_by_id,
        {{ common_span('items', 'names') }}
    from items
    left join names on items.abom_item_id = names.abom_item_id and {{ overlap('items', 'names') }}
)

select
    1 as abom_generation,
    held.parent_part_inventory_id,
    named_items.abom_item_id as build_requirement_id,
    named_items.part_id,
    named_items.origin_mbom_item_id,
    coalesce(planned.is_made_on_assembly, false) as is_made_on_assembly,
    named_items.quantity_required,
    named_items.part_inventory_id as child_part_inventory_id,
    case when named_items.part_inventory_id is not null then named_items.abom_item_id end as abom_installation_id,
    case when named_items.part_inventory_id is not null then named_items.reference_designator end
        as reference_designator,
    case when named_items.part_inventory_id is not null then named_items.quantity else 0 end as quantity_installed,
    named_items.created_at,
    named_items.updated_at,
    case when named_items.part_inventory_id is not null then named_items.created_by_id end as created_by_id,
    {{ common_span('held', 'named_items') }}
from held
inner join named_items on held.abom_item_id = named_items.abom_item_id and {{ overlap('held', 'named_items') }}
left join planned on named_items.origin_mbom_item_id = planned.mbom_item_id
where
    named_items.part_inventory_id is not null
    or named_items.quantity_required > 0
