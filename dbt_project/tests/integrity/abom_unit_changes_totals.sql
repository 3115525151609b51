-- Whatever the matching rules are, they must not lose or create pieces. For each unit and its predecessor, the
-- difference of the quantities by part number, summed from the installations, equals the sum over the changed lines.
with built as (
    select
        inventories.part_inventory_id,
        lag(inventories.part_inventory_id) over (
            partition by inventories.part_number order by inventories.created_at, inventories.part_inventory_id
        ) as previous_part_inventory_id
    from {{ ref('part_inventories') }} as inventories
    where
        inventories.tracking_type = 'SERIAL'
        and inventories.part_number is not null
        and inventories.part_inventory_id in (
            select installed.parent_part_inventory_id
            from {{ ref('abom_installations') }} as installed
            where not installed.is_quarantined
        )
),

sides as (
    select
        part_inventory_id,
        part_inventory_id as parent_part_inventory_id,
        1 as sign
    from built
    where previous_part_inventory_id is not null
    union all
    select
        part_inventory_id,
        previous_part_inventory_id as parent_part_inventory_id,
        -1 as sign
    from built
    where previous_part_inventory_id is not null
),

expected as (
    select
        sides.part_inventory_id,
        coalesce(installations.child_part_number, 'part ' || cast(installations.child_part_id as string), 'unit')
            as part_number,
        count(*) > count(installations.quantity_per_piece) as is_unknown,
        sum(abs(installations.quantity_per_piece)) as volume,
        sum(sides.sign * installations.quantity_per_piece) as difference
    from sides
    inner join {{ ref('abom_installations') }} as installations
        on sides.parent_part_inventory_id = installations.parent_part_inventory_id
    where not installations.is_quarantined
    group by
        sides.part_inventory_id,
        coalesce(installations.child_part_number, 'part ' || cast(installations.child_part_id as string), 'unit')
),

lines as (
    {% for side, sign in [('after', 1), ('before', -1)] %}
        select
            part_inventory_id,
            part_number_{{ side }} as part_number,
            {{ sign }} * quantity_{{ side }} as quantity
        from {{ ref('abom_unit_changes') }}
        where part_number_{{ side }} is not null
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

found as (
    select
        part_inventory_id,
        part_number,
        count(*) > count(quantity) as is_unknown,
        sum(quantity) as difference
    from lines
    group by part_inventory_id, part_number
)

select
    coalesce(expected.part_inventory_id, found.part_inventory_id) as part_inventory_id,
    coalesce(expected.part_number, found.part_number) as part_number,
    expected.difference as expected_difference,
    found.difference as found_difference
from expected
full outer join found
    on expected.part_inventory_id = found.part_inventory_id and expected.part_number = found.part_number
where
    not coalesce(expected.is_unknown or found.is_unknown, false)
    -- Floating-point sums in another order are equal if they agree to nine digits of the summed volume.
    and abs(coalesce(expected.difference, 0) - coalesce(found.difference, 0)) > 1e-9 * coalesce(expected.volume, 0)
union all
-- Fails if units have predecessors but nothing was compared.
select
    null as part_inventory_id,
    null as part_number,
    count(*) as expected_difference,
    0 as found_difference
from built
where previous_part_inventory_id is not null and (select count(*) from expected) = 0
having count(*) > 0
