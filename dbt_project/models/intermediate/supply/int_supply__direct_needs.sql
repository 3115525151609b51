with consumers as (
    select * from {{ ref('int_supply__consumers') }}
),

lines as (
    select * from {{ ref('int_mbom__plan_lines') }}
    where quantity > 0
),

units_with_lines as (
    select distinct parent_part_inventory_id as part_inventory_id from {{ ref('int_abom__lines') }}
),

-- What is in a kit that is not completed is at hand for the run of the kit.
kitted as (
    select
        kits.run_id,
        items.part_id,
        sum(items.quantity_fulfilled) as quantity
    from {{ ref('stg_ion__part_kit_items') }} as items
    inner join {{ ref('stg_ion__part_kits') }} as kits on items.part_kit_id = kits.part_kit_id
    where coalesce(kits.status, '') not in ('COMPLETED', 'CANCELED')
    group by kits.run_id, items.part_id
),

required as (
    select
        consumers.allocation_order,
        requirements.part_id,
        requirements.quantity_open as quantity
    from consumers
    inner join {{ ref('int_abom__open_requirements') }} as requirements
        on consumers.part_inventory_id = {{ first_element('requirements.parent_part_inventory_ids') }}
    where requirements.part_id is not null
    union all
    -- A unit that has requirements, filled or not, needs no other lines of its plan.
    select
        consumers.allocation_order,
        lines.part_id,
        consumers.quantity * lines.quantity as quantity
    from consumers
    inner join lines on consumers.part_id = lines.parent_part_id
    left join units_with_lines on consumers.part_inventory_id = units_with_lines.part_inventory_id
    where units_with_lines.part_inventory_id is null
    union all
    -- An item whose part has no plan is bought.
    select
        consumers.allocation_order,
        consumers.part_id,
        consumers.quantity
    from consumers
    where
        consumers.consumer_type = 'plan_item'
        and consumers.part_id not in (select made.parent_part_id from lines as made)
),

direct as (
    select
        consumers.allocation_order,
        required.part_id,
        case when consumers.part_id <> required.part_id then consumers.part_id end as parent_part_id,
        case when count(*) = count(required.quantity) then sum(required.quantity) end
        - coalesce({{ any_of('kitted.quantity') }}, 0) as quantity
    from required
    inner join consumers on required.allocation_order = consumers.allocation_order
    left join kitted
        on
            consumers.consumer_type = 'run'
            and consumers.consumer_id = kitted.run_id
            and required.part_id = kitted.part_id
    group by consumers.allocation_order, consumers.part_id, required.part_id
)

select * from direct
where quantity > 0 or quantity is null
