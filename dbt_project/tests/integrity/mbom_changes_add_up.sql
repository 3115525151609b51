-- The models find changes by pairing lines. This test only sums line counts and quantities: the compared state plus its
-- changes equals the new state, and the current state equals ION's own rows.
with totals as (
    select
        mbom_id,
        state_number,
        count(*) as line_count,
        sum(quantity) as quantity,
        sum(abs(quantity)) as volume
    from {{ ref('mbom_lines') }}
    group by mbom_id, state_number
),

compared as (
    select distinct
        mbom_id,
        state_number,
        previous_mbom_id,
        previous_state_number
    from {{ ref('mbom_version_changes') }}
    where change <> 'indirect'
),

changes as (
    select
        mbom_id,
        state_number,
        sum(case change when 'added' then 1 when 'removed' then -1 else 0 end) as line_count,
        sum(
            case
                when change in ('added', 'removed', 'quantity_changed')
                    then coalesce(quantity_after, 0) - coalesce(quantity_before, 0)
                else 0
            end
        ) as quantity
    from {{ ref('mbom_version_changes') }}
    where change <> 'indirect'
    group by mbom_id, state_number
),

summed as (
    select
        compared.mbom_id,
        compared.state_number,
        coalesce(totals_before.line_count, 0) + changes.line_count as expected_lines,
        coalesce(totals.line_count, 0) as found_lines,
        coalesce(totals_before.quantity, 0) + changes.quantity as expected_quantity,
        coalesce(totals.quantity, 0) as found_quantity,
        coalesce(totals_before.volume, 0) + coalesce(totals.volume, 0) as volume
    from compared
    inner join changes on compared.mbom_id = changes.mbom_id and compared.state_number = changes.state_number
    left join totals on compared.mbom_id = totals.mbom_id and compared.state_number = totals.state_number
    left join totals as totals_before
        on
            compared.previous_mbom_id = totals_before.mbom_id
            and compared.previous_state_number = totals_before.state_number
),

current_rows as (
    select
        mboms.mbom_id,
        count(items.mbom_item_id) as line_count,
        coalesce(sum(items.quantity), 0) as quantity
    from {{ ref('stg_ion__mboms') }} as mboms
    left join {{ ref('stg_ion__mbom_items') }} as items
        on mboms.mbom_id = items.mbom_id and not coalesce(items.is_deleted, false)
    group by mboms.mbom_id
),

current_states as (
    select
        versions.mbom_id,
        versions.state_number,
        versions.line_count,
        coalesce(totals.quantity, 0) as quantity,
        coalesce(totals.volume, 0) as volume
    from {{ ref('mbom_versions') }} as versions
    left join totals on versions.mbom_id = totals.mbom_id and versions.state_number = totals.state_number
    where versions.is_current
),

both_sides as (
    select * from summed
    union all
    select
        coalesce(current_rows.mbom_id, current_states.mbom_id) as mbom_id,
        current_states.state_number,
        current_rows.line_count as expected_lines,
        current_states.line_count as found_lines,
        current_rows.quantity as expected_quantity,
        current_states.quantity as found_quantity,
        current_states.volume
    from current_rows
    full outer join current_states on current_rows.mbom_id = current_states.mbom_id
)

select *
from both_sides
where
    expected_lines is distinct from found_lines
    or expected_quantity is null
    or found_quantity is null
    -- Floating-point sums in another order are equal if they agree to nine digits of the summed volume.
    or abs(expected_quantity - found_quantity) > 1e-9 * volume
