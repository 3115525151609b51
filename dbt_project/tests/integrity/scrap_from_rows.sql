-- Scrap by part, from the current rows: the quantity recorded in inventory or, without one, the whole unit under an
-- issue that scraps it. The months of `scrap` add up to the same totals.
with inventories as (
    select
        inventories.id,
        parts.part_number,
        case
            when inventories.serial_number is not null then 1
            else coalesce(inventories.quantity, 0) + coalesce(inventories.quantity_scrapped, 0)
        end as quantity,
        case
            when inventories.serial_number is not null and inventories.status = 'SCRAPPED' then 1
            -- A serial counts as one piece, scrapped or not.
            when inventories.serial_number is not null and inventories.quantity_scrapped > 0 then 1
            when inventories.serial_number is not null then 0
            when coalesce(inventories.quantity_scrapped, 0) > 0 then inventories.quantity_scrapped
            when inventories.status = 'SCRAPPED' then coalesce(inventories.quantity, 0)
            else 0
        end as quantity_scrapped
    from {{ source('ion', 'part_inventories') }} as inventories
    inner join {{ source('ion', 'parts') }} as parts on inventories.part_id = parts.id
),

condemned as (
    select distinct part_inventory_id
    from {{ ref('issue_units') }}
    where is_scrap
),

expected as (
    select
        inventories.part_number,
        sum(
            case
                when inventories.quantity_scrapped > 0 then inventories.quantity_scrapped
                when condemned.part_inventory_id is not null then inventories.quantity
                else 0
            end
        ) as quantity_scrapped,
        sum(abs(inventories.quantity) + abs(inventories.quantity_scrapped)) as volume
    from inventories
    left join condemned on inventories.id = condemned.part_inventory_id
    group by inventories.part_number
),

units as (
    select
        part_number,
        sum(quantity_scrapped) as quantity_scrapped
    from {{ ref('scrapped_units') }}
    group by part_number
),

months as (
    select
        part_number,
        sum(quantity_scrapped) as quantity_scrapped,
        sum(quantity_scrapped_in_inventory + quantity_scrapped_in_issues_only) as quantity_in_sources
    from {{ ref('scrap') }}
    group by part_number
)

select
    expected.part_number,
    expected.quantity_scrapped as expected_quantity,
    units.quantity_scrapped as quantity_in_units,
    months.quantity_scrapped as quantity_in_months
from expected
left join units on expected.part_number = units.part_number
left join months on expected.part_number = months.part_number
where
    -- Floating-point sums in another order are equal if they agree to nine digits of the summed volume.
    abs(expected.quantity_scrapped - coalesce(units.quantity_scrapped, 0)) > 1e-9 * expected.volume
    or abs(expected.quantity_scrapped - coalesce(months.quantity_scrapped, 0)) > 1e-9 * expected.volume
    or abs(expected.quantity_scrapped - coalesce(months.quantity_in_sources, 0)) > 1e-9 * expected.volume
