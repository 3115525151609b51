"""`attachments fetch` knows every place where ION keeps a file: the places are compared with ION's schema."""

from graphql import GraphQLObjectType, get_named_type, get_nullable_type, is_list_type

from ion_pipeline.catalog.catalog import ChildList, Entity, known_catalog
from ion_pipeline.catalog.published import published_tables
from ion_pipeline.catalog.schema import known_schema
from ion_pipeline.publish.attachments import CELLS, COLUMNS, LISTS

FILE = "FileAttachment"
# ION's type of a cell names its step through its row.
CELL = (CELLS[0], "file_attachment_id")
#: The id of a file where it is not named like the field with the file.
IDS = {"pdf": "pdfAssetId"}


def of_files(one: Entity | ChildList) -> dict[str, str]:
    """The fields of a type that hold one file, and the field with its id."""
    node = known_schema().type_map[one.node_type]
    assert isinstance(node, GraphQLObjectType)
    fields = [
        name
        for name, field in node.fields.items()
        if get_named_type(field.type).name == FILE and not is_list_type(get_nullable_type(field.type))
    ]
    return {name: IDS.get(name, f"{name}Id") for name in fields}


def is_link(one: Entity | ChildList) -> bool:
    """Whether a list holds only the ids of other rows, which have their files themselves."""
    return isinstance(one, ChildList) and one.columns[0].field == "id" != one.columns[0].name


def test_every_place_of_ions_schema_is_known() -> None:
    names = {
        (table.name, column.raw.field): column.name
        for table in published_tables(known_catalog())
        for column in table.columns
    }
    lists, columns = dict[str, str](), set[tuple[str, str]]()
    for entity in known_catalog().entities.values():
        if entity.is_administrative:
            continue
        for child in entity.children:
            if child.node_type == FILE:
                lists[child.table] = child.owner_column.name
        for table, one in ((entity.name, entity), *((child.table, child) for child in entity.children)):
            columns |= set() if is_link(one) else {(table, names[table, field]) for field in of_files(one).values()}
    assert lists == LISTS
    assert columns == {*COLUMNS, CELL}
    assert len(columns) > 20


def test_the_owner_of_a_place_is_a_column_of_its_table() -> None:
    columns = {table.name: {column.name for column in table.columns} for table in published_tables(known_catalog())}
    for (table, column), (owner, field) in COLUMNS.items():
        assert {column, owner} | ({field} - {f"'{field[1:-1]}'"}) <= columns[table]
    assert {"row_id", "file_attachment_id"} <= columns[CELLS[0]]
    assert {"datagrid_row_id", "run_step_id", "step_id"} <= columns[CELLS[1]]
