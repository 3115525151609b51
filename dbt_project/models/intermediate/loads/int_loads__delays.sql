with delays as (
    select * from {{ ref('stg_ion__load_delays') }}
),

loads as (
    select * from {{ ref('stg_ion__loads') }}
),

final as (
    select
        delays.load_id,
        delays.entity,
        loads.read_at,
        delays.delay_seconds + {{ hours_between('loads.committed_at', 'loads.published_at') }} * 3600 as delay_seconds,
        delays.change_count
    from delays
    inner join loads on delays.load_id = loads.load_id
    -- Not measured if the clock of the machine was set back in between.
    where loads.published_at >= loads.committed_at
)

select * from final
