with records as (
    select * from {{ ref('int_supply__part_records') }}
),

parts as (
    select * from {{ ref('parts') }}
),

-- Each revision with itself and with the revisions created before it.
revisions as (
    select
        parts.*,
        earlier.part_id as record_part_id,
        earlier.part_revision as record_part_revision,
        earlier.unit_of_measure as record_unit_of_measure
    from parts
    inner join parts as earlier
        on parts.revision_family_id = earlier.revision_family_id and parts.part_id >= earlier.part_id
),

-- A family of procedures that a later revision is linked to is not repeated for the earlier ones.
affected as (
    select
        revisions.part_id,
        revisions.part_number,
        revisions.part_revision,
        revisions.record_part_id,
        revisions.record_part_revision,
        records.figure,
        records.record_type,
        records.record_id,
        records.record_name,
        records.status,
        records.quantity,
        records.quantity_open,
        case
            when records.figure <> 'procedures'
                then coalesce(records.unit_of_measure, revisions.record_unit_of_measure)
        end as unit_of_measure,
        records.due_at,
        revisions.unit_of_measure as part_unit_of_measure,
        revisions.is_export_controlled or records.is_export_controlled as is_export_controlled,
        row_number() over (
            partition by revisions.part_id, records.figure, records.procedure_family_id
            order by revisions.record_part_id desc
        ) as place_in_family
    from revisions
    inner join records on revisions.record_part_id = records.part_id
)

select
    part_id,
    part_number,
    part_revision,
    figure,
    record_part_id <> part_id as is_of_earlier_revision,
    record_part_id,
    record_part_revision,
    record_type,
    record_id,
    record_name,
    status,
    quantity,
    quantity_open,
    unit_of_measure,
    -- Quantities of another unit, and of no known unit where the part has one, are in no sum.
    quantity_open is not null
    and (unit_of_measure is not distinct from part_unit_of_measure) as is_in_sum,
    due_at,
    is_export_controlled
from affected
where figure <> 'procedures' or place_in_family = 1
order by part_id asc, figure asc, record_part_id desc, record_type asc, record_id asc
