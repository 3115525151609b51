{#- Texts: sort keys, and values from JSON texts. -#}

{#-
    A text in natural sort order: C2 before C10. Every sequence of digits is padded with zeros to at least ten digits.
-#}
{% macro natural_key(text) %}{{ return(adapter.dispatch('natural_key')(text)) }}{% endmacro %}
{% macro duckdb__natural_key(text) -%}
    regexp_replace(regexp_replace({{ text }}, '([0-9]+)', '0000000000\1', 'g'), '0*([0-9]{10})', '\1', 'g')
{%- endmacro %}
{% macro spark__natural_key(text) -%}
    regexp_replace(regexp_replace({{ text }}, '([0-9]+)', '0000000000$1'), '0*([0-9]{10})', '$1')
{%- endmacro %}

{#-
    An integer as a text that sorts like the number: the count of its digits, then its digits ('17', '212', '3100'). No
    such text is a prefix of another one, so paths of them sort as a tree. At most nine digits.
-#}
{% macro ordinal_key(number) -%}
    length(cast({{ number }} as string)) || cast({{ number }} as string)
{%- endmacro %}

{#-
    The text of a JSON scalar: a string without its quotes, null for null, anything else as stored. A number is never
    parsed: DuckDB's JSON functions convert it to a double, which has fewer digits than a text can hold.
-#}
{% macro json_text(json) %}{{ return(adapter.dispatch('json_text')(json)) }}{% endmacro %}
{% macro duckdb__json_text(json) -%}
    case
        when regexp_matches({{ json }}, '^\s*[-0-9\[{]') then regexp_replace({{ json }}, '^\s+|\s+$', '', 'g')
        else json_extract_string({{ json }}, '$')
    end
{%- endmacro %}
{% macro spark__json_text(json) -%}
    case
        when {{ json }} rlike '^\\s*[-0-9\\[{]' then regexp_replace({{ json }}, '^\\s+|\\s+$', '')
        else get_json_object({{ json }}, '$')
    end
{%- endmacro %}

{#-
    A JSON array of scalars as a list of texts, each converted as by `json_text`; null for any other JSON. An element
    that is not a scalar becomes JSON text as DuckDB writes it.
-#}
{% macro json_list(json) %}{{ return(adapter.dispatch('json_list')(json)) }}{% endmacro %}
{% macro duckdb__json_list(json) -%}
    case
        when json_type({{ json }}) <> 'ARRAY' then null
        when list_has_any(json_type({{ json }}, '$[*]'), ['ARRAY', 'OBJECT']) then json_extract_string({{ json }}, '$[*]')
        else list_transform(
            regexp_extract_all({{ json }}, '"(?:[^"\\]|\\.)*"|[^][,"\s]+'),
            lambda element: {{ duckdb__json_text('element') }}
        )
    end
{%- endmacro %}
{#- Spark keeps the text of an element as stored (spark.sql.json.enableExactStringParsing, on since 4.0). -#}
{% macro spark__json_list(json) -%}
    case when left(ltrim({{ json }}), 1) = '[' then from_json({{ json }}, 'array<string>') end
{%- endmacro %}

{#- The keys of a JSON object, in the order of the text; null for any other text. -#}
{% macro json_keys_of(json) %}{{ return(adapter.dispatch('json_keys_of')(json)) }}{% endmacro %}
{% macro duckdb__json_keys_of(json) -%}
    case when json_type(try_cast({{ json }} as json)) = 'OBJECT' then json_keys(try_cast({{ json }} as json)) end
{%- endmacro %}
{% macro spark__json_keys_of(json) %}json_object_keys({{ json }}){% endmacro %}

{#- The distinct texts of a group, in order, separated by commas. -#}
{% macro texts_of(value) %}{{ return(adapter.dispatch('texts_of')(value)) }}{% endmacro %}
{% macro duckdb__texts_of(value) %}string_agg(distinct {{ value }}, ', ' order by {{ value }}){% endmacro %}
{#- Not `listagg(distinct …)`, which Spark 4.3 cannot plan next to an aggregate with a filter. -#}
{% macro spark__texts_of(value) -%}
    case when count({{ value }}) > 0 then array_join(array_sort(collect_set({{ value }})), ', ') end
{%- endmacro %}

{#- The texts of a group, one after another. -#}
{% macro text_of(value, separator, order_by) %}{{ return(adapter.dispatch('text_of')(value, separator, order_by)) }}{% endmacro %}
{% macro duckdb__text_of(value, separator, order_by) %}string_agg({{ value }}, '{{ separator }}' order by {{ order_by }}){% endmacro %}
{% macro spark__text_of(value, separator, order_by) -%}
    listagg({{ value }}, '{{ separator }}') within group (order by {{ order_by }})
{%- endmacro %}

{#- A number to nine significant digits, so that floating-point sums in any order give the same text. -#}
{% macro number_text(number) %}{{ return(adapter.dispatch('number_text')(number)) }}{% endmacro %}
{% macro duckdb__number_text(number) %}format('{:.9g}', {{ number }}){% endmacro %}
{% macro spark__number_text(number) -%}
    lower(regexp_replace(
        regexp_replace(format_string('%.9g', {{ number }}), '([.][0-9]*?)0+(e|$)', '$1$2'), '[.](e|$)', '$1'
    ))
{%- endmacro %}

{#- A short hash of a text: equal for equal texts; collisions are negligible. -#}
{% macro digest(text) %}{{ return(adapter.dispatch('digest')(text)) }}{% endmacro %}
{% macro duckdb__digest(text) %}md5({{ text }}){% endmacro %}
{% macro spark__digest(text) %}md5({{ text }}){% endmacro %}

{#- The rows of a group as a JSON array of objects with these columns. -#}
{% macro json_rows(columns, order_by) %}{{ return(adapter.dispatch('json_rows')(columns, order_by)) }}{% endmacro %}
{% macro duckdb__json_rows(columns, order_by) -%}
    cast(to_json(list({{ struct_of(columns) }} order by {{ order_by }})) as varchar)
{%- endmacro %}
{% macro spark__json_rows(columns, order_by) -%}
    {%- set fields = [] -%}
    {%- for column in columns -%}
        {%- set name = column.split('.')[-1] -%}
        {%- do fields.append(("concat(cast(" ~ column ~ " as string), '+00')" if name.endswith('_at') else column) ~ ' as ' ~ name) -%}
    {%- endfor -%}
    to_json(
        {{ spark__list_of('struct(' ~ fields | join(', ') ~ ')', order_by) }}, map('ignoreNullFields', 'false')
    )
{%- endmacro %}

{#- The texts that are not null, one after another; an empty text if all are. -#}
{% macro join_texts(separator, texts) %}{{ return(adapter.dispatch('join_texts')(separator, texts)) }}{% endmacro %}
{% macro duckdb__join_texts(separator, texts) %}concat_ws('{{ separator }}', {{ texts | join(', ') }}){% endmacro %}
{% macro spark__join_texts(separator, texts) %}concat_ws('{{ separator }}', {{ texts | join(', ') }}){% endmacro %}

{#- One digest for the digests of a group, independent of their order. -#}
{% macro digest_of_all(digests) %}{{ return(adapter.dispatch('digest_of_all')(digests)) }}{% endmacro %}
{% macro duckdb__digest_of_all(digests) %}md5(array_to_string(list_sort(list({{ digests }})), '')){% endmacro %}
{% macro spark__digest_of_all(digests) %}md5(array_join(array_sort(collect_list({{ digests }})), '')){% endmacro %}

{#- A text without surrounding white space: blanks, tabs, line ends and non-breaking blanks. -#}
{% macro trimmed(text) %}{{ return(adapter.dispatch('trimmed')(text)) }}{% endmacro %}
{% macro duckdb__trimmed(text) %}trim({{ text }}, ' ' || chr(9) || chr(10) || chr(13) || chr(160)){% endmacro %}
{% macro spark__trimmed(text) %}btrim({{ text }}, concat(' ', chr(9), chr(10), chr(13), chr(160))){% endmacro %}

{#-
    The places that a reference designator names, as a list, in capitals and trimmed; `R1, R3-R5` names four. A range
    repeats its letters: `J1-2` is not a range but the name of a pin. A range of more than a thousand places counts as a
    name. A text of blanks names no place.
-#}
{% macro designator_places(text) %}{{ return(adapter.dispatch('designator_places')(text)) }}{% endmacro %}
{% macro duckdb__designator_places(text) -%}
    {%- set prefix = "regexp_extract(place, '^([^0-9-]+)', 1)" -%}
    {%- set first = "regexp_extract(place, '^[^0-9-]+([0-9]+)', 1)" -%}
    {%- set last = "regexp_extract(place, '([0-9]+)$', 1)" -%}
    flatten(list_transform(
        list_filter(
            list_transform(
                string_split_regex(upper({{ text }}), '[,;]'), lambda item: {{ trimmed('item') }}
            ),
            lambda item: item <> ''
        ),
        lambda place: case
            when
                regexp_full_match(place, '[^0-9-]+[0-9]{1,6}\s*-\s*[^0-9-]+[0-9]{1,6}')
                and {{ prefix }} = regexp_extract(place, '-\s*([^0-9-]+)', 1)
                and try_cast({{ last }} as bigint) - try_cast({{ first }} as bigint) between 0 and 999
                then list_transform(
                    range(try_cast({{ first }} as bigint), try_cast({{ last }} as bigint) + 1),
                    lambda number: {{ prefix }} || lpad(
                        cast(number as varchar),
                        cast(greatest(length({{ first }}), length(cast(number as varchar))) as integer),
                        '0'
                    )
                )
            else [place]
        end
    ))
{%- endmacro %}
{% macro spark__designator_places(text) -%}
    {%- set prefix = "regexp_extract(place, '^([^0-9-]+)', 1)" -%}
    {%- set first = "regexp_extract(place, '^[^0-9-]+([0-9]+)', 1)" -%}
    {%- set last = "regexp_extract(place, '([0-9]+)$', 1)" -%}
    flatten(transform(
        filter(
            transform(split(upper({{ text }}), '[,;]'), item -> {{ spark__trimmed('item') }}), item -> item <> ''
        ),
        place -> case
            when
                place rlike '^[^0-9-]+[0-9]{1,6}\\s*-\\s*[^0-9-]+[0-9]{1,6}\\z'
                and {{ prefix }} = regexp_extract(place, '-\\s*([^0-9-]+)', 1)
                and try_cast({{ last }} as bigint) - try_cast({{ first }} as bigint) between 0 and 999
                then transform(
                    sequence(try_cast({{ first }} as bigint), try_cast({{ last }} as bigint)),
                    number -> concat(
                        {{ prefix }},
                        lpad(cast(number as string), greatest(length({{ first }}), length(cast(number as string))), '0')
                    )
                )
            else array(place)
        end
    ))
{%- endmacro %}

{#-
    A reference designator in normalised form, for comparison: its places in order, each once (` r3, R1-R2 ` gives
    `R1,R2,R3`); null if it names none. Only designators that may hold several places are split, because most are a
    single name.
-#}
{% macro designator_key(text) %}{{ return(adapter.dispatch('designator_key')(text)) }}{% endmacro %}
{% macro duckdb__designator_key(text) -%}
    nullif(
        case
            when regexp_matches({{ text }}, '[-,;]')
                then array_to_string(list_sort(list_distinct({{ designator_places(text) | indent(8) }})), ',')
            else upper({{ trimmed(text) }})
        end,
        ''
    )
{%- endmacro %}
{% macro spark__designator_key(text) -%}
    nullif(
        case
            when {{ text }} rlike '[-,;]'
                then array_join(array_sort(array_distinct({{ spark__designator_places(text) | indent(8) }})), ',')
            else upper({{ spark__trimmed(text) }})
        end,
        ''
    )
{%- endmacro %}

{#- The places that the designators of a group name, each once, in order. -#}
{% macro places_of(designator) %}{{ return(adapter.dispatch('places_of')(designator)) }}{% endmacro %}
{% macro duckdb__places_of(designator) -%}
    list_sort(list_distinct(flatten(list({{ designator_places(designator) | indent(4) }}))))
{%- endmacro %}
{% macro spark__places_of(designator) -%}
    array_sort(array_distinct(flatten(collect_list({{ spark__designator_places(designator) | indent(4) }}))))
{%- endmacro %}
