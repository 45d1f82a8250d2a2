{#-
    on-run-start: sets the end of the window to the newest load in staging, and makes the tables
    that carry the window, or that the pipe has not made yet, if they are not there. The starts stay
    where the last complete runs left them, except that they go back to 0, which makes every model
    derive everything anew, when silver or a dimension it looks up is about to be made anew: what they
    held would be forgotten otherwise. A dimension that changes may ask for that, too (replace_dimension).
-#}
{% macro open_window() %}
    {%- if execute and flags.WHICH in ['run', 'build', 'retry'] -%}
        {#- Rendered, since --empty makes a query of everything else that source() gives. -#}
        {%- set staging = source('raw', 'raw_purchases_staging').render() -%}
        {%- set transform_window = source('raw', 'transform_window').render() -%}

        {%- if not table_is_there(source('raw', 'raw_purchases_staging')) -%}
            {{ exceptions.raise_compiler_error(
                staging ~ " is not there. Load something first: `medallion ingest --once`."
            ) }}
        {%- endif -%}
        {%- do make_tables_of_the_pipe() -%}
        {{- number_loads() -}}
        {#- In a `build` they come after this hook and before the models. -#}
        {%- if flags.WHICH == 'run' and not tables_are_there(seed_relations()) -%}
            {{ exceptions.raise_compiler_error("The seeds are not there: `dbt seed`.") }}
        {%- endif -%}

        {%- set remembered = [
            source('raw', 'transform_window'), source('raw', 'transform_prior_winners'),
            source('raw', 'transform_restarts'), source('raw', 'transform_displaced')
        ] -%}
        {%- set made_anew = [] -%}
        {%- for name in ['purchases_silver', 'products_silver', 'stores_silver', 'customer_identities_silver'] -%}
            {%- set id = 'model.' ~ project_name ~ '.' ~ name -%}
            {%- do remembered.append(relation_of(id)) -%}
            {%- if flags.FULL_REFRESH and id in selected_resources -%}
                {%- do made_anew.append(id) -%}
            {%- endif -%}
        {%- endfor -%}

        {%- if made_anew or not tables_are_there(remembered) -%}
            {#- The one whose absence tells of a warehouse of an older build comes last. -#}
            {%- do run_query('create or replace table ' ~ transform_window ~ ' as
                select cast(0 as bigint) as lo, cast(coalesce(max(_load_seq), 0) as bigint) as hi,
                    cast(0 as bigint) as rest_lo
                from ' ~ staging) -%}
            {%- do run_query('create or replace table ' ~ source('raw', 'transform_prior_winners').render() ~ ' (
                event_key ' ~ event_key_type() ~ ' not null, event_id varchar not null,
                _source_object varchar not null, _source_line bigint not null,
                _load_seq bigint not null)') -%}
            {%- do run_query('create or replace table '
                ~ source('raw', 'transform_restarts').render() ~ ' (dimension varchar not null)') -%}
            {%- do make_dimensions() -%}
            {%- do run_query('create or replace table ' ~ source('raw', 'transform_displaced').render() ~ ' (
                day date not null, business_date date not null, arrival_date date not null,
                customer_id varchar, _window_hi bigint not null)') -%}
        {%- endif -%}

        {{- unpublish_gold() -}}
        {%- do run_query('update ' ~ transform_window
            ~ ' set hi = (select coalesce(max(_load_seq), 0) from ' ~ staging ~ ')') -%}

        {%- set window = run_query('select lo, hi from ' ~ transform_window).rows[0] -%}
        {%- if window[1] < window[0] -%}
            {{ exceptions.raise_compiler_error(
                staging ~ " ends at load " ~ window[1] ~ ", but silver has taken in load "
                ~ window[0] ~ ": rows have left staging. To derive everything from what is left: "
                ~ "`dbt run --full-refresh`."
            ) }}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}

{#- The relation of a node of the project, for those that come before it and so cannot ref() it. -#}
{% macro relation_of(id) %}
    {%- set node = graph.nodes[id] -%}
    {{ return(api.Relation.create(
        database=node.database, schema=node.schema, identifier=node.alias)) }}
{% endmacro %}

{% macro seed_relations() %}
    {%- set relations = [] -%}
    {%- for id, node in graph.nodes.items() if node.resource_type == 'seed' -%}
        {%- do relations.append(relation_of(id)) -%}
    {%- endfor -%}
    {{ return(relations) }}
{% endmacro %}

{#-
    The dimensions that silver looks up, empty, where they are not there, so that silver can be run
    alone. Their own run fills them, and has everything that looked them up derived anew.
-#}
{% macro make_dimensions() %}
    {%- set columns = {
        'products_silver': 'product_id varchar, name varchar, category varchar, price decimal(18, 2),
            valid_from ' ~ instant_type() ~ ', valid_to ' ~ instant_type() ~ ', is_current boolean,
            is_ambiguous boolean',
        'stores_silver': 'store_id varchar, name varchar, region varchar, time_zone varchar,
            is_time_zone_known boolean, opens varchar, closes varchar, opened_on date,
            is_ambiguous boolean',
        'customer_identities_silver': 'alias varchar, customer_id varchar, channel varchar,
            is_conflicting boolean',
    } -%}
    {%- for name, types in columns.items() -%}
        {%- set relation = relation_of('model.' ~ project_name ~ '.' ~ name) -%}
        {%- if not table_is_there(relation) -%}
            {%- do run_query('create schema if not exists ' ~ relation.without_identifier()) -%}
            {%- do run_query('create table ' ~ relation ~ ' (' ~ types ~ ')') -%}
            {#- dbt has looked what is there before this hook. -#}
            {%- do adapter.cache_added(as_listed(relation.incorporate(type='table'))) -%}
        {%- endif -%}
    {%- endfor -%}
{% endmacro %}

{#- What the pipe loads beside purchases, empty, where a pipe of an older build has not made it. -#}
{% macro make_tables_of_the_pipe() %}
    {%- set columns = {
        'raw_quarantine_staging': 'reason varchar, source_object varchar, line bigint,
            byte_offset bigint, byte_length bigint, raw varchar, raw_base64 varchar, dt date,
            _quarantine_file varchar',
        'raw_products': 'product_id varchar, name varchar, category varchar, price decimal(18, 2),
            valid_from ' ~ instant_type(),
        'raw_stores': 'store_id varchar, name varchar, region varchar, timezone varchar,
            opens varchar, closes varchar, opened_on date',
        'raw_customer_identities': 'alias varchar, customer_id varchar, channel varchar',
    } -%}
    {%- set relations = [] -%}
    {%- for name in columns -%}{%- do relations.append(source('raw', name)) -%}{%- endfor -%}
    {%- if not tables_are_there(relations) -%}
        {%- for name, types in columns.items() -%}
            {%- do run_query('create table if not exists ' ~ source('raw', name).render()
                ~ ' (' ~ types ~ ')') -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}
