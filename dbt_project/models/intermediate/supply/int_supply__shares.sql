with plan_lines as (
    select * from {{ ref('int_mbom__plan_lines') }}
),

supplies as (
    select
        part_id,
        coalesce(max(quantity_until) filter (where source_type = 'on_hand'), 0) as on_hand,
        max(quantity_until) as everything
    from {{ ref('int_supply__incoming') }}
    group by part_id
),

made_parts as (
    select distinct parent_part_id as part_id
    from plan_lines
    where quantity > 0
),

needed as (
    select
        needs.*,
        row_number() over (
            order by
                needs.allocation_order asc,
                needs.part_id asc,
                needs.notable_part_id asc nulls last,
                needs.parent_part_id asc nulls last
        ) as need_number,
        needs.quantity_until - needs.quantity as quantity_from,
        coalesce(supplies.on_hand, 0) as on_hand,
        coalesce(supplies.everything, 0) as everything,
        made_parts.part_id is not null as is_made
    from {{ ref('int_supply__needs') }} as needs
    left join supplies on needs.part_id = supplies.part_id
    left join made_parts on needs.part_id = made_parts.part_id
),

-- Each need takes the interval of the supply that those before it leave.
shares as (
    select
        *,
        greatest(least(quantity_until, on_hand) - quantity_from, 0) as quantity_on_hand,
        greatest(least(quantity_until, everything) - greatest(quantity_from, on_hand), 0) as quantity_incoming,
        greatest(quantity_until - greatest(quantity_from, everything), 0) as quantity_missing
    from needed
    where quantity is not null
),

-- What is on hand of a part after all its own needs can replace others, in the same unit.
left_over as (
    select
        supplies.part_id,
        supplies.on_hand - coalesce(max(needed.quantity_until), 0) as quantity
    from supplies
    left join needed on supplies.part_id = needed.part_id
    group by supplies.part_id, supplies.on_hand
),

named as (
    select distinct
        parent_part_id,
        part_id,
        {{ each_of('substitute_part_ids') }} as substitute_part_id
    from plan_lines
),

candidates as (
    select
        shares.need_number,
        shares.quantity_missing,
        left_over.part_id as substitute_part_id,
        left_over.quantity as quantity_left,
        row_number() over (
            partition by shares.need_number order by left_over.quantity desc, left_over.part_id asc
        ) as place
    from shares
    inner join named on shares.parent_part_id = named.parent_part_id and shares.part_id = named.part_id
    inner join left_over on named.substitute_part_id = left_over.part_id
    inner join {{ ref('parts') }} as planned on shares.part_id = planned.part_id
    inner join {{ ref('parts') }} as substitutes on named.substitute_part_id = substitutes.part_id
    where
        not shares.is_made and shares.quantity_missing > 0 and left_over.quantity > 0
        and named.substitute_part_id <> shares.part_id
        and planned.unit_of_measure is not distinct from substitutes.unit_of_measure
),

substituted as (
    select
        *,
        least(quantity_missing, greatest(
            quantity_left - sum(quantity_missing) over (
                partition by substitute_part_id order by need_number
                rows between unbounded preceding and current row
            ) + quantity_missing, 0
        )) as quantity_substituted
    from candidates
    where place = 1
)

select
    needed.allocation_order,
    needed.part_id,
    needed.parent_part_id,
    needed.notable_part_id,
    needed.is_made,
    needed.quantity,
    least(needed.quantity_until, needed.everything) as share_until,
    shares.quantity_on_hand,
    shares.quantity_incoming,
    shares.quantity_missing,
    substituted.substitute_part_id,
    case when shares.quantity_missing is not null then coalesce(substituted.quantity_substituted, 0) end
        as quantity_substituted
from needed
left join shares on needed.need_number = shares.need_number
left join substituted on shares.need_number = substituted.need_number
