{{ config(materialized='table') }}

-- The recursion has one round per level of the plans, for all consumers at once: each part is shared out once, at its
-- lowest level, when everything that needs it is known. What waits for a deeper level waits a round.
with recursive steps as (
    select * from {{ ref('int_supply__plan_steps') }}
),

supplies as (
    select
        part_id,
        max(quantity_until) as quantity
    from {{ ref('int_supply__incoming') }}
    group by part_id
),

rounds as (
    {{ rounds_begin() }}
    select
        0 as round,
        direct.allocation_order,
        direct.part_id,
        direct.parent_part_id,
        coalesce(own.next_notable_part_id, above.next_notable_part_id) as notable_part_id,
        coalesce(own.next_level, 0) as part_level,
        direct.quantity
    from {{ ref('int_supply__direct_needs') }} as direct
    left join steps as own on direct.part_id = own.part_id and own.is_waiting
    left join steps as above on direct.parent_part_id = above.part_id and above.is_waiting

    {{ rounds_repeat('union all') }}

    select
        shared.round + 1 as round,
        shared.allocation_order,
        steps.next_part_id as part_id,
        coalesce(steps.next_parent_part_id, shared.parent_part_id) as parent_part_id,
        coalesce(steps.next_notable_part_id, shared.notable_part_id) as notable_part_id,
        steps.next_level as part_level,
        case when steps.is_waiting then shared.quantity else shared.quantity_short * steps.quantity_per end as quantity
    from (
        select
            rounds.*,
            case
                when rounds.quantity is not null
                    then least(rounds.quantity, greatest(
                        sum(rounds.quantity) over (
                            partition by rounds.part_id
                            order by
                                rounds.allocation_order asc,
                                rounds.notable_part_id asc nulls last,
                                rounds.parent_part_id asc nulls last
                            rows between unbounded preceding and current row
                        ) - coalesce(supplies.quantity, 0),
                        0
                    ))
            end as quantity_short
        from rounds
        left join supplies on rounds.part_id = supplies.part_id
    ) as shared
    inner join steps
        on shared.part_id = steps.part_id and (shared.part_level > shared.round) = steps.is_waiting
    where
        (steps.is_waiting or shared.quantity_short > 0 or shared.quantity_short is null)
        and shared.round < {{ var('abom_max_depth') }} + 2
    {{ rounds_end() }}
),

needs as (
    select
        allocation_order,
        part_id,
        parent_part_id,
        notable_part_id,
        case when count(*) = count(quantity) then sum(quantity) end as quantity
    from rounds
    where part_level = round
    group by allocation_order, part_id, parent_part_id, notable_part_id
)

select
    *,
    case
        when quantity is not null
            then sum(quantity) over (
                partition by part_id
                order by allocation_order asc, notable_part_id asc nulls last, parent_part_id asc nulls last
                rows between unbounded preceding and current row
            )
    end as quantity_until
from needs
