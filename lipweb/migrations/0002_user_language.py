from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("lipweb", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="language",
            field=models.CharField(blank=True, default="", max_length=8),
        )
    ]
