{#-
    The incremental strategy of purchases_silver. The new rows are winners that the table does not
    hold yet. A row they displace is either one of this window (an unfinished run put it there) or a
    prior winner, whose load is known; so both deletions read a few blocks and not the table.
-#}
{% macro get_incremental_replace_winners_sql(arg_dict) %}
    {%- set silver = arg_dict['target_relation'] -%}
    {%- set winners = arg_dict['temp_relation'] -%}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='quoted') | join(', ') -%}

    {%- set statements -%}
        delete from {{ silver }}
        where _load_seq > {{ window_bounds().lo }}
            and (event_key, event_id) in (select event_key, event_id from {{ winners }});

        delete from {{ silver }}
        where (_load_seq, _source_object, _source_line) in (
            select prior._load_seq, prior._source_object, prior._source_line
            from {{ source('raw', 'transform_prior_winners').render() }} as prior
            inner join {{ winners }} as winners
                on prior.event_key = winners.event_key and prior.event_id = winners.event_id
        );

        insert into {{ silver }} ({{ columns }})
        select {{ columns }} from {{ winners }}
    {%- endset -%}

    {{ return(in_the_models_transaction(statements)) }}
{% endmacro %}
