-- Open issues by disposition
-- $part: product, part number = PLT-SHOW

select disposition_category, count(distinct issue_id) as issues, count(*) as units, sum(quantity_affected) as pieces
from quality.issue_units
where is_open and part_number = $part
group by disposition_category
order by issues desc, disposition_category
