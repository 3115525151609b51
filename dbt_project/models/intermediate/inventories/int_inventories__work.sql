with runs as (
    select * from {{ ref('stg_ion__runs') }}
    where part_inventory_id is not null
),

steps as (
    select * from {{ ref('stg_ion__run_steps') }}
    where status is distinct from 'CANCELED'
),

passages as (
    select
        runs.run_id,
        runs.part_inventory_id,
        runs.part_id,
        runs.quantity,
        min(coalesce(steps.started_at, steps.ended_at)) as started_at,
        min(steps.ended_at) filter (where steps.status in ('COMPLETE', 'FAILED')) as attempted_at,
        case
            when runs.status in ('COMPLETE', 'PARTIAL_COMPLETE')
                then max(steps.ended_at) filter (where steps.status = 'COMPLETE')
        end as completed_at
    from runs
    inner join steps on runs.run_id = steps.run_id
    group by runs.run_id, runs.part_inventory_id, runs.part_id, runs.quantity, runs.status
)

select
    part_inventory_id,
    min(part_id) as part_id,
    max(quantity) as run_quantity,
    min(started_at) as first_started_at,
    min(attempted_at) as first_attempted_at,
    min(completed_at) as first_completed_at
from passages
where started_at is not null
group by part_inventory_id
