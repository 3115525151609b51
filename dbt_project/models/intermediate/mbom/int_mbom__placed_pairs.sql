{{ config(materialized='table') }}

with sides as (
    select * from {{ ref('int_mbom__compared_lines') }}
),

-- An edited line stays the same line, whatever its new content: its id counts as a place that both versions share.
places as (
    select
        *,
        {{ each_of('designator_places') }} as place,
        false as is_line
    from sides
    union all
    select
        *,
        cast(mbom_item_id as string) as place,
        true as is_line
    from sides
),

shared as (
    select
        line_after.mbom_id,
        line_after.state_number,
        line_before.mbom_item_id as mbom_item_id_before,
        line_after.mbom_item_id as mbom_item_id_after,
        line_after.mbom_item_id = line_before.mbom_item_id as is_same_line,
        line_after.part_id = line_before.part_id as is_same_part,
        coalesce(line_after.revision_family_id = line_before.revision_family_id, false) as is_same_family,
        count(*) as place_count
    from places as line_after
    inner join places as line_before
        on
            line_after.mbom_id = line_before.mbom_id
            and line_after.state_number = line_before.state_number
            and line_after.place = line_before.place
            and line_after.is_line = line_before.is_line
    where line_after.side = 'after' and line_before.side = 'before'
    group by all
),

ranked as (
    select
        *,
        row_number() over nearest_after as rank_before,
        row_number() over nearest_before as rank_after
    from shared
    window
        nearest_after as (
            partition by mbom_id, state_number, mbom_item_id_before
            order by
                is_same_line desc, is_same_part desc, is_same_family desc, place_count desc, mbom_item_id_after asc
        ),
        nearest_before as (
            partition by mbom_id, state_number, mbom_item_id_after
            order by
                is_same_line desc, is_same_part desc, is_same_family desc, place_count desc, mbom_item_id_before asc
        )
)

-- Two lines that share a place are paired if each is the other's closest match.
select
    mbom_id,
    state_number,
    mbom_item_id_before,
    mbom_item_id_after
from ranked
where rank_before = 1 and rank_after = 1
