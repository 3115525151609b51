{#- Types as the `.yml` files name them, which is how DuckDB publishes them; Spark has other words for them. -#}

{#- Spark's name of a type: `struct(id bigint, names varchar[])[]` is `array<struct<id: bigint, names: array<string>>>`. -#}
{% macro spark_type(type) -%}
    {%- set text = type | lower | replace('timestamp with time zone', 'timestamp') | replace('varchar', 'string')
        | replace('"', '`') -%}
    {#- From the inside out: a type without brackets inside becomes a word, which its text replaces at the end. -#}
    {%- set words = namespace(text=text, inner=[]) -%}
    {%- for _ in range(text | length) if modules.re.search('[(]|\\[', words.text) -%}
        {%- set list = modules.re.search('([^][ ,()]+)\\[\\]', words.text) -%}
        {%- set group = modules.re.search('(map|struct)[(]([^()]*)[)]', words.text) -%}
        {%- if list -%}
            {%- set made = 'array<' ~ list.group(1) ~ '>' -%}
        {%- elif group.group(1) == 'map' -%}
            {%- set made = 'map<' ~ group.group(2) ~ '>' -%}
        {%- else -%}
            {%- set made = 'struct<' ~ modules.re.sub('(^|, )(\\S+) ', '\\1\\2: ', group.group(2)) ~ '>' -%}
        {%- endif -%}
        {%- set found = list or group -%}
        {%- set words.text = words.text[:found.start()] ~ '@' ~ (words.inner | length) ~ '@' ~ words.text[found.end():] -%}
        {%- do words.inner.append(made) -%}
    {%- endfor -%}
    {%- for made in words.inner | reverse -%}
        {%- set words.text = words.text | replace('@' ~ (words.inner | length - 1 - loop.index0) ~ '@', made) -%}
    {%- endfor -%}
    {{ return(words.text) }}
{%- endmacro %}

{#- A contract compares the types of a model with the types in its `.yml`, so both have to be Spark's. -#}
{% macro spark__get_empty_schema_sql(columns) -%}
    select
    {%- for column in columns.values() %}
        cast(null as {{ spark_type(column.data_type) }}) as {{ column.name }}{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
