with recorded as (
    {% for each in approval_kinds() %}
        select
            '{{ each.kind }}' as approval_kind,
            {{ each.verdicts }}_id as approval_id,
            parent_{{ each.verdicts }}_id as parent_approval_id,
            {{ each.subject }} as subject_id,
            {{ 'step_id' if each.kind == 'procedure' else 'cast(null as bigint)' }} as reviewed_step_id,
            {{ each.gate if each.gate else 'cast(null as string)' }} as gate,
            {{ 'role_id' if each.gate else 'cast(null as bigint)' }} as role_id,
            reviewer_id,
            status,
            created_at,
            comment as comment_text,
            content,
            {{ 'false' if each.is_never_controlled else 'is_export_controlled' }} as is_export_controlled
        from {{ ref('stg_ion__' ~ each.verdicts ~ 's') }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

replies as (
    select
        approval_kind,
        parent_approval_id,
        count(*) as reply_count
    from recorded
    where parent_approval_id is not null
    group by approval_kind, parent_approval_id
),

steps as (
    select * from {{ ref('stg_ion__steps') }}
)

select
    recorded.approval_kind,
    recorded.approval_id,
    coalesce(recorded.subject_id, steps.procedure_id) as subject_id,
    recorded.reviewed_step_id,
    recorded.gate,
    recorded.role_id,
    recorded.reviewer_id,
    recorded.status,
    -- A verdict that says PENDING is only a remark; a status that is not known yet counts as a verdict.
    coalesce(recorded.status <> 'PENDING', false) as is_verdict,
    recorded.created_at as given_at,
    coalesce({{ words_of('recorded.content') }}, nullif(trim(recorded.comment_text), '')) as comment_text,
    coalesce(replies.reply_count, 0) as reply_count,
    recorded.is_export_controlled
from recorded
left join replies
    on recorded.approval_kind = replies.approval_kind and recorded.approval_id = replies.parent_approval_id
left join steps on recorded.reviewed_step_id = steps.step_id
where recorded.parent_approval_id is null
