using System.Text;
using Twin.Grains;
using Twin.Hardware;
using Twin.Silo.Embedded;
using Twin.Silo.Storage;

namespace Twin.Silo.Tests.Hostile;

/// <summary>A data directory that somebody damaged is refused with a reason; it never opens as a new one.</summary>
public sealed class BrokenDirectoryTests : IDisposable
{
    private readonly TestDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    private string Data => _directory.Sub("data");
    private string Journal => Path.Combine(Data, "journal.db");

    private EmbeddedFleet Open() =>
        EmbeddedFleet.Open(new EmbeddedOptions { DataPath = Data }, new TwinFactory(), null);

    private async Task Live()
    {
        await using var fleet = Open();
        var batch = new InputBatch("test");
        batch.Add(new MeterSeen(new MeterId(7), "M-7", "", 0));
        await fleet.Append(batch, CancellationToken.None);
    }

    private void Refused(string reason)
    {
        var e = Assert.Throws<DataDirectoryException>(() => Open());
        Assert.Contains(reason, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_journal_that_is_gone_is_not_begun_anew(bool emptied)
    {
        await Live();
        if (emptied) File.WriteAllBytes(Journal, []);
        else File.Delete(Journal);
        Refused("missing, cut short or another's");
    }

    [Fact]
    public async Task Inputs_and_marks_that_are_damaged_under_a_right_digest_are_refused()
    {
        await Live();
        Change("UPDATE head SET marks=x'ffffffffffffffffff01ffffffffffffffffff01'");
        Refused("over 32 bits");
        Change("UPDATE head SET marks=x''; UPDATE kept SET input=x'0000', digest=x'96a296d224f285c6'");
        foreach (var snapshot in Directory.GetFiles(Data, "*.twins")) File.Delete(snapshot);
        Refused("The journal is damaged");
    }

    private void Change(string sql)
    {
        using var connection = Sql.Open(Journal, readOnly: false);
        connection.Run(sql);
    }

    [Theory]
    [InlineData("metertwin-data 0")]
    [InlineData("metertwin-data -1")]
    [InlineData("\0\0\0")]
    [InlineData("")]
    public async Task A_format_that_no_version_wrote_is_refused(string text)
    {
        await Live();
        File.WriteAllText(Path.Combine(Data, "format"), text, Encoding.ASCII);
        Refused("does not read 'metertwin-data N'");
    }

    [Fact]
    public async Task A_folder_in_place_of_the_journal_is_refused()
    {
        await Live();
        File.Delete(Journal);
        Directory.CreateDirectory(Journal);
        Refused("unable to open database file");
    }
}
