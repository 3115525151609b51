-- The installations that prove cycle findings are exactly the quarantined installations.
with expected as (
    select distinct abom_installation_id
    from {{ ref('abom_installations') }}
    where is_quarantined
),

found as (
    select
        anomaly_key,
        {{ each_of('abom_installation_ids') }} as abom_installation_id
    from {{ ref('genealogy_anomalies') }}
    where anomaly = 'cycle'
)

select
    coalesce(expected.abom_installation_id, found.abom_installation_id) as abom_installation_id,
    found.anomaly_key
from expected
full outer join found on expected.abom_installation_id = found.abom_installation_id
where expected.abom_installation_id is null or found.abom_installation_id is null
