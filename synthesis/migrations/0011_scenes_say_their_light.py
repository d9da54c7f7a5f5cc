from django.db import migrations


def say_no_light(apps, schema_editor):
    """Scenes measured before have nobody's word on their HDR10 metadata; without the
    key their facts cannot be read."""
    for scene in apps.get_model('synthesis', 'Scene').objects.iterator():
        if scene.media_facts and 'light' not in scene.media_facts:
            scene.media_facts['light'] = {'display': None, 'content': None}
            scene.save(update_fields=['media_facts'])


class Migration(migrations.Migration):

    dependencies = [
        ('synthesis', '0010_delivery_format'),
    ]

    operations = [
        migrations.RunPython(say_no_light, migrations.RunPython.noop),
    ]
