{{ config(materialized='table') }}

with moments as (
    select * from {{ ref('int_mbom__moments') }}
),

contents as (
    select
        mbom_id,
        seen_at,
        count(*) as line_count,
        {{ content_hash(list_of('line_hash', 'line_hash')) }} as lines_hash,
        -- A designator spelled in another way does not change the plan but starts a new state, because a state shows
        -- the text as written.
        {{ content_hash(list_of(
            struct_of(['mbom_item_id', 'line_hash', 'reference_designators']), 'mbom_item_id'
        )) }} as rows_hash
    from {{ ref('int_mbom__moment_lines') }}
    group by mbom_id, seen_at
),

ends as (
    select
        mbom_id,
        max(valid_to) as ended_at
    from {{ ref('stg_ion_history__mboms') }}
    group by mbom_id
    having max(cast(is_current as integer)) = 0
),

filled as (
    select
        moments.*,
        coalesce(contents.line_count, 0) as line_count,
        coalesce(contents.lines_hash, {{ content_hash(empty_list()) }}) as lines_hash,
        coalesce(contents.rows_hash, '') as rows_hash
    from moments
    left join contents on moments.mbom_id = contents.mbom_id and moments.seen_at = contents.seen_at
),

compared as (
    select
        *,
        lag(seen_at) over versions is null
        or status <> lag(status) over versions
        or rows_hash <> lag(rows_hash) over versions as is_new
    from filled
    window versions as (partition by mbom_id order by seen_at)
),

states as (
    select
        compared.*,
        row_number() over states as state_number,
        coalesce(lead(compared.seen_at) over states, ends.ended_at) as valid_to,
        lead(compared.seen_at) over states is null and ends.ended_at is null as is_current
    from compared
    left join ends on compared.mbom_id = ends.mbom_id
    where compared.is_new
    window states as (partition by compared.mbom_id order by compared.seen_at)
)

select
    mbom_id,
    cast(state_number as integer) as state_number,
    part_id,
    mbom_version,
    status,
    seen_at as valid_from,
    valid_to,
    is_current,
    line_count,
    lines_hash,
    created_at,
    created_by_id,
    updated_at
from states
