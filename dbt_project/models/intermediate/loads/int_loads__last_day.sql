{{ config(materialized='table') }}

with loads as (
    select * from {{ ref('stg_ion__loads') }}
),

final as (
    select {{ production_day('max(read_at)') }} as last_day
    from loads
)

select * from final
