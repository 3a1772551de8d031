"""Files in parts, what shows a file, and the pictures of products."""

import sqlalchemy as sa
from alembic import op

from cloud_api.kernel import clock, columns
from cloud_api.kernel.ids import new_id
from cloud_api.migrations.walls import owned, points_at, raise_wall

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

_ADDED = ("uploaded_by", "listed", "storage_key", "height", "width", "name")


def upgrade() -> None:
    """Make the tables; what shows a file already is written down."""
    with op.batch_alter_table("media") as table:
        table.add_column(sa.Column("name", sa.String(), nullable=False, server_default=""))
        table.add_column(sa.Column("width", sa.Integer(), nullable=True))
        table.add_column(sa.Column("height", sa.Integer(), nullable=True))
        table.add_column(sa.Column("storage_key", sa.String(), nullable=True))
        table.add_column(sa.Column("listed", sa.Boolean(), nullable=False, server_default=sa.false()))
        table.add_column(sa.Column("uploaded_by", sa.Uuid(), nullable=True))
        table.create_check_constraint(op.f("ck_media_size"), "size_bytes >= 0")
    op.create_table(
        "media_attachments",
        sa.Column("media_id", sa.Uuid(), nullable=False),
        sa.Column("entity_type", sa.String(), nullable=False),
        sa.Column("entity_id", sa.Uuid(), nullable=False),
        sa.Column("attached_at", columns.UtcDateTime(), nullable=False),
        *owned("media_attachments"),
        points_at("media_attachments", "media_id", "media", ondelete="RESTRICT"),
        sa.UniqueConstraint(
            "organization_id",
            "media_id",
            "entity_type",
            "entity_id",
            name=op.f("uq_media_attachments_organization_id_media_id_entity_type_entity_id"),
        ),
    )
    op.create_index("ix_media_attachments_entity", "media_attachments", ["organization_id", "entity_type", "entity_id"])
    op.create_table(
        "media_uploads",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("mime", sa.String(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("part_size_bytes", sa.Integer(), nullable=False),
        sa.Column("begun_by", sa.Uuid(), nullable=False),
        sa.Column("begun_at", columns.UtcDateTime(), nullable=False),
        sa.Column("expires_at", columns.UtcDateTime(), nullable=False),
        sa.Column("media_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("size_bytes > 0", name=op.f("ck_media_uploads_size")),
        *owned("media_uploads"),
        points_at("media_uploads", "media_id", "media"),
    )
    op.create_index(op.f("ix_media_uploads_expires_at"), "media_uploads", ["expires_at"])
    op.create_table(
        "media_parts",
        sa.Column("upload_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("storage_key", sa.String(), nullable=False),
        sa.CheckConstraint("number >= 1", name=op.f("ck_media_parts_number")),
        *owned("media_parts"),
        points_at("media_parts", "upload_id", "media_uploads"),
        sa.UniqueConstraint("upload_id", "number", name=op.f("uq_media_parts_upload_id_number")),
    )
    op.create_table(
        "product_images",
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("media_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        *owned("product_images"),
        points_at("product_images", "product_id", "products"),
        points_at("product_images", "media_id", "media", ondelete="RESTRICT"),
        sa.UniqueConstraint("product_id", "media_id", name=op.f("uq_product_images_product_id_media_id")),
    )
    for name in ("media_attachments", "media_uploads", "media_parts", "product_images"):
        raise_wall(name)
    _write_down_what_shows_a_file()


def _write_down_what_shows_a_file() -> None:
    """People's pictures, and the photos that prove deliveries."""
    media, users, deliveries = (
        sa.table(name, sa.column("id", sa.Uuid()), sa.column("organization_id", sa.Uuid()), *columns_of)
        for name, columns_of in (
            ("media", [sa.column("sha256", sa.String())]),
            ("users", [sa.column("avatar_id", sa.Uuid())]),
            ("deliveries", [sa.column("photo_sha256", sa.String())]),
        )
    )
    attachments = sa.table(
        "media_attachments",
        *(sa.column(name, sa.Uuid()) for name in ("id", "organization_id", "media_id", "entity_id")),
        sa.column("entity_type", sa.String()),
        sa.column("attached_at", columns.UtcDateTime()),
    )
    ours = media.c.organization_id
    shown = {
        "user": sa.select(ours, media.c.id, users.c.id).join_from(
            users, media, sa.and_(users.c.avatar_id == media.c.id, users.c.organization_id == ours)
        ),
        "delivery": sa.select(ours, media.c.id, deliveries.c.id).join_from(
            deliveries,
            media,
            sa.and_(deliveries.c.photo_sha256 == media.c.sha256, deliveries.c.organization_id == ours),
        ),
    }
    now = clock.machine_now()
    for entity_type, statement in shown.items():
        rows = [
            {
                "id": new_id(),
                "organization_id": organization_id,
                "media_id": media_id,
                "entity_type": entity_type,
                "entity_id": entity_id,
                "attached_at": now,
            }
            for organization_id, media_id, entity_id in op.get_bind().execute(statement).all()
        ]
        if rows:
            op.bulk_insert(attachments, rows)


def downgrade() -> None:
    """Drop them; files that came since then lie where the earlier program does not look."""
    op.drop_table("product_images")
    op.drop_table("media_parts")
    op.drop_table("media_uploads")
    op.drop_table("media_attachments")
    with op.batch_alter_table("media") as table:
        table.drop_constraint(op.f("ck_media_size"), type_="check")
        for name in _ADDED:
            table.drop_column(name)
