CREATE OR REPLACE TRIGGER notifications_updated_at BEFORE UPDATE ON notifications
    FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();

-- The pending index lives by quick cleaning: a poll must not wade through what was sent long ago.
ALTER TABLE notifications SET (
    autovacuum_vacuum_scale_factor = 0.01,
    autovacuum_vacuum_threshold = 200
);
