-- Lines whose own content did not change while something below them changed.
with below_changes as (
    select * from {{ ref('int_mbom__below_changes') }}
),

states as (
    select * from {{ ref('int_mbom__in_force') }}
),

lines as (
    select * from {{ ref('int_mbom__state_lines') }}
),

pairs as (
    select * from {{ ref('int_mbom__state_pairs') }}
),

line_pairs as (
    select * from {{ ref('int_mbom__line_pairs') }}
),

line_changes as (
    select distinct
        mbom_id,
        state_number,
        mbom_item_id_after
    from {{ ref('int_mbom__line_changes') }}
    where mbom_item_id_after is not null
),

-- Changes from one state to the next.
compared as (
    select
        pairs.mbom_id,
        pairs.state_number,
        pairs.previous_mbom_id,
        pairs.previous_state_number,
        pairs.is_in_place,
        pairs.changed_at,
        line_pairs.mbom_item_id_before,
        line_pairs.mbom_item_id_after
    from pairs
    inner join line_pairs on pairs.mbom_id = line_pairs.mbom_id and pairs.state_number = line_pairs.state_number
    inner join lines
        on
            line_pairs.mbom_id = lines.mbom_id
            and line_pairs.state_number = lines.state_number
            and line_pairs.mbom_item_id_after = lines.mbom_item_id
    inner join below_changes on lines.part_id = below_changes.part_id and pairs.changed_at = below_changes.changed_at
    left join line_changes
        on
            line_pairs.mbom_id = line_changes.mbom_id
            and line_pairs.state_number = line_changes.state_number
            and line_pairs.mbom_item_id_after = line_changes.mbom_item_id_after
    where line_pairs.mbom_item_id_before is not null and line_changes.mbom_id is null
),

-- Changes within one state.
unchanged_lines as (
    select
        states.mbom_id,
        states.state_number,
        states.mbom_id as previous_mbom_id,
        states.state_number as previous_state_number,
        true as is_in_place,
        below_changes.changed_at,
        lines.mbom_item_id as mbom_item_id_before,
        lines.mbom_item_id as mbom_item_id_after
    from states
    inner join lines on states.mbom_id = lines.mbom_id and states.state_number = lines.state_number
    inner join below_changes
        on
            lines.part_id = below_changes.part_id
            and states.valid_from < below_changes.changed_at
            and (states.stood_until is null or states.stood_until > below_changes.changed_at)
    where states.status <> 'ARCHIVED'
)

select * from compared
union all
select * from unchanged_lines
