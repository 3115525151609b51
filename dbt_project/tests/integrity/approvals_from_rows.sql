-- Requests, verdicts and redlines, counted in ION's rows; and of the requests that name a person, how many of these
-- have given a verdict since, and when the last did.

with expected as (
    {% for each in approval_kinds() %}
        select
            'requests: {{ each.kind }}' as measure,
            count(*) as row_count,
            max(_created) as last_at
        from {{ source('ion', each.requests ~ 's') }}
        union all
        select
            'verdicts: {{ each.kind }}' as measure,
            count(*) as row_count,
            max(_created) as last_at
        from {{ source('ion', each.verdicts ~ 's') }}
        where parent_id is null
        union all
        select
            'answered: {{ each.kind }}' as measure,
            count(*) as row_count,
            max(answered_at) as last_at
        from (
            select
                requests.id,
                min(verdicts._created) as answered_at
            from {{ source('ion', each.requests ~ 's') }} as requests
            inner join {{ source('ion', each.verdicts ~ 's') }} as verdicts
                on
                    requests.{{ each.subject }} = verdicts.{{ each.subject }}
                    and verdicts._created >= requests._created
                    {% if each.gate %}
                        and coalesce(requests.assigned_to_id, requests.reviewer_id) = verdicts.reviewer_id
                        and requests.{{ each.gate }} is not distinct from verdicts.{{ each.gate }}
                        and coalesce(requests.role_id = verdicts.role_id, true)
                    {% else %}
                        and requests.reviewer_id = verdicts.reviewer_id
                    {% endif %}
            where verdicts.parent_id is null and verdicts.status <> 'PENDING'
            group by requests.id
        ) as firsts
        union all
    {% endfor %}
    select
        'redlines' as measure,
        count(*) as row_count,
        max(_created) as last_at
    from {{ source('ion', 'redlines') }}
    union all
    select
        'approved redlines' as measure,
        count(*) as row_count,
        max(_created) as last_at
    from {{ source('ion', 'redlines') }}
    where approved
),

found as (
    select
        'requests: ' || approval_kind as measure,
        count(*) as row_count,
        max(requested_at) as last_at
    from {{ ref('approval_requests') }}
    group by approval_kind
    union all
    select
        'verdicts: ' || approval_kind as measure,
        count(*) as row_count,
        max(given_at) as last_at
    from {{ ref('approvals') }}
    group by approval_kind
    union all
    select
        'answered: ' || approval_kind as measure,
        count(*) as row_count,
        max(answered_at) as last_at
    from {{ ref('approval_requests') }}
    where asked_user_id is not null and approval_id is not null
    group by approval_kind
    union all
    select
        'redlines' as measure,
        count(*) as row_count,
        max(raised_at) as last_at
    from {{ ref('redlines') }}
    union all
    select
        'approved redlines' as measure,
        count(*) as row_count,
        max(raised_at) as last_at
    from {{ ref('redlines') }}
    where is_approved
)

select
    coalesce(expected.measure, found.measure) as measure,
    expected.row_count as expected_count,
    found.row_count as found_count,
    expected.last_at as expected_last_at,
    found.last_at as found_last_at
from expected
full outer join found on expected.measure = found.measure
where
    coalesce(expected.row_count, 0) <> coalesce(found.row_count, 0)
    or expected.last_at is distinct from found.last_at
