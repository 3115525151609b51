{#-
    Rules for comparing two as-built units line by line: what a line is, which lines correspond, and the name of a
    difference. `abom_unit_changes` and the analysts' macro `abom_compare` both use these rules.
-#}

{#-
    Display text and identity of a part: its number, or its id where ION does not return the part (withheld from the API
    key, or deleted). Two parts that ION does not return stay two parts.
-#}
{% macro shown_part(part_number, part_id) -%}
    coalesce({{ part_number }}, 'part ' || cast({{ part_id }} as string), 'unit')
{%- endmacro %}

{#-
    A line: everything installed in a unit on one planned line, under one designator and of one part. Several lots or
    serials there are one line, since units are compared by part and quantity; two planned lines of one part are two
    lines. Of several revisions, serials or lots, the first and the last are shown. `with_units` adds the units, each
    with its configuration.
-#}
{% macro compared_lines(installations, configured, with_units=false) %}
    select
        installed.parent_part_inventory_id as part_inventory_id,
        coalesce(
            'm' || cast(installed.origin_mbom_item_id as string), 'r' || cast(installed.build_requirement_id as string)
        ) as planned_line,
        min(installed.origin_mbom_item_id) as origin_mbom_item_id,
        min(installed.origin_mbom_id) as origin_mbom_id,
        min(installed.build_requirement_id) as build_requirement_id,
        min(installed.required_part_number) as required_part_number,
        installed.designator_key,
        -- The designator as written in ION; of several spellings, the first.
        case when installed.designator_key is not null then min(installed.reference_designator) end as reference_designator,
        {{ shown_part('installed.child_part_number', 'installed.child_part_id') }} as part_number,
        {%- for label in ['part_revision', 'serial_number', 'lot_number'] %}
        min(installed.child_{{ label }}) || case
            when min(installed.child_{{ label }}) = max(installed.child_{{ label }}) then ''
            else ' … ' || max(installed.child_{{ label }})
        end as {{ label }},
        {%- endfor %}
        case
            when min(installed.child_part_inventory_id) = max(installed.child_part_inventory_id)
                then min(installed.child_part_inventory_id)
        end as child_part_inventory_id,
        case when count(*) = count(installed.quantity_per_piece) then sum(installed.quantity_per_piece) end as quantity,
        bool_or(installed.is_substitute) as is_substitute,
        -- The configurations on the line, which may differ further down; an empty text for leaves.
        {%- if with_units %}
        list_sort(list({
            'part_inventory_id': installed.child_part_inventory_id,
            'configuration': coalesce(configured.configuration_hash, '')
        })) as units,
        {%- endif %}
        case
            when count(configured.configuration_hash) = 0 then {{ list_with("''") }}
            else {{ texts_or_blank('configured.configuration_hash') }}
        end as configurations
    from {{ installations }} as installed
    left join {{ configured }} as configured on installed.child_part_inventory_id = configured.part_inventory_id
    where not installed.is_quarantined
    group by
        installed.parent_part_inventory_id,
        2,
        installed.designator_key,
        {{ shown_part('installed.child_part_number', 'installed.child_part_id') }}
{% endmacro %}

{#-
    Two lines correspond if they agree in a key. The keys are tried in order, and a line with a partner leaves the next
    rounds: the same place first, then the same requirement (planned or added by hand) of another plan, then the same
    part.
-#}
{% macro line_match_keys() -%}
    planned_line designator part_number
    | planned_line designator
    | planned_line part_number quantity
    | planned_line part_number
    | named_designator part_number
    | named_designator
    | requirement part_number quantity
    | requirement part_number
    | requirement
    | part_number quantity
    | part_number
{%- endmacro %}

{% macro line_match_rounds() %}{{ line_match_keys().split('|') | length }}{% endmacro %}

{% macro line_match_key(round, line) -%}
    {%- set fields = {
        'designator': "coalesce(" ~ line ~ ".designator_key, '')",
        'requirement': "substr(" ~ line ~ ".planned_line, 1, 1) || " ~ line ~ ".required_part_number",
        'named_designator': line ~ ".designator_key",
        'quantity': number_text(line ~ '.quantity'),
    } -%}
    case {{ round }}
        {%- for key in line_match_keys().split('|') %}
        when {{ loop.index }} then '{{ loop.index }}'
        {%- for field in key.split() %} || chr(31) || {{ fields.get(field, line ~ '.' ~ field) }}{% endfor %}
        {%- endfor %}
    end
{%- endmacro %}

{#- Order of several lines that agree in a key: the greatest quantity first. -#}
{% macro line_order(line) -%}
    {{ line }}.quantity desc nulls last,
    {{ line }}.designator_key asc nulls last,
    {{ line }}.build_requirement_id asc,
    {{ line }}.part_number asc
{%- endmacro %}

{#-
    One round: the lines in `looking` (pair_key, and either line_before or line_after) that agree in the key of the
    round become one row of `found`. If several agree, they are paired in descending order of quantity. `carried` lists
    columns that are equal for a whole pair; `suffix` makes the CTE names of the rounds unique.
-#}
{% macro match_round(looking, round, carried=[], suffix='') -%}
sided{{ suffix }} as (
    select
        {{ looking }}.*,
        {{ looking }}.line_before is null as is_after,
        coalesce({{ looking }}.line_before, {{ looking }}.line_after) as line
    from {{ looking }}
),

keyed{{ suffix }} as (
    select
        sides.*,
        coalesce(
            {{ line_match_key(round, 'sides.line') | indent(12) }},
            cast(sides.is_after as string)
        ) as match_key
    from sided{{ suffix }} as sides
),

numbered{{ suffix }} as (
    select
        keys.*,
        row_number() over (
            partition by keys.pair_key, keys.match_key, keys.is_after
            order by
                {{ line_order('keys.line') | indent(16) }}
        ) as place
    from keyed{{ suffix }} as keys
),

found{{ suffix }} as (
    {{ rounds_begin() }}
    select
        pair_key,
        {%- for column in carried %}
        {{ any_of(column) }} as {{ column }},
        {%- endfor %}
        {{ any_of('line_before') }} as line_before,
        {{ any_of('line_after') }} as line_after
    from numbered{{ suffix }}
    group by pair_key, match_key, place
    {{ rounds_end() }}
),
{%- endmacro %}

{#- Name of the difference between two corresponding lines; null if the lines themselves are equal. -#}
{% macro line_change(before, after) -%}
    case
        when {{ before }}.part_number is null then 'installed'
        when {{ after }}.part_number is null then 'missing'
        when {{ before }}.part_number <> {{ after }}.part_number
            then case
                when {{ before }}.is_substitute or {{ after }}.is_substitute then 'substitute'
                else 'replaced'
            end
        when coalesce({{ before }}.part_revision, '') <> coalesce({{ after }}.part_revision, '') then 'other_revision'
        -- Planned lines of two versions of a plan have different ids: only their part identifies them.
        when
            {{ before }}.planned_line <> {{ after }}.planned_line
            and coalesce({{ before }}.designator_key <> {{ after }}.designator_key, true)
            and (
                coalesce({{ before }}.required_part_number, '') <> coalesce({{ after }}.required_part_number, '')
                or {{ before }}.origin_mbom_id = {{ after }}.origin_mbom_id
                or ({{ before }}.origin_mbom_id is null) <> ({{ after }}.origin_mbom_id is null)
            )
            then 'moved'
        when coalesce({{ before }}.designator_key, '') <> coalesce({{ after }}.designator_key, '')
            then 'designator_changed'
        when
            ({{ before }}.quantity is null) <> ({{ after }}.quantity is null)
            or abs({{ before }}.quantity - {{ after }}.quantity) > 1e-9 * abs({{ before }}.quantity)
            then 'quantity_changed'
    end
{%- endmacro %}

{#- Whether both lines hold the same part with different configurations. -#}
{% macro line_is_changed_below(before, after) -%}
    coalesce(
        {{ before }}.part_number = {{ after }}.part_number and {{ before }}.configurations <> {{ after }}.configurations, false
    )
{%- endmacro %}

{#- Display label of a line: the required part and the designator. -#}
{% macro line_label(line) -%}
    coalesce({{ line }}.required_part_number, {{ line }}.part_number) || coalesce(' @' || {{ line }}.reference_designator, '')
{%- endmacro %}

{% macro changed_line_columns(before, after) %}
    {%- for column in [
        'part_number', 'part_revision', 'serial_number', 'lot_number', 'child_part_inventory_id', 'quantity',
        'reference_designator', 'build_requirement_id', 'origin_mbom_item_id',
    ] %}
    {%- set name = column | replace('child_', '') %}
    {%- for side, line in [('before', before), ('after', after)] %}
    {{ "coalesce(" ~ line ~ ".quantity, case when " ~ line ~ ".part_number is null then 0 end)"
        if column == 'quantity' else line ~ '.' ~ column }} as {{ name }}_{{ side }},
    {%- endfor %}
    {%- endfor %}
{%- endmacro %}

{#- Key of a changed line within a pair of units: its place before and its place after. -#}
{% macro changed_line_key(before, after) -%}
    {%- for line in [before, after] -%}
    coalesce(
        {{ line }}.planned_line || '@' || coalesce({{ line }}.designator_key, '') || ':' || {{ line }}.part_number, ''
    ){{ " || ' > ' || " if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
