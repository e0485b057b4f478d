using Twin.Hardware.Attacks;
using Twin.Silo.Attacks;

namespace Twin.Silo.Tests.Attacks;

public class AttackPageTests
{
    private static string PagePath => Path.Combine(Repository.Root, "docs", "reference", "attacks.md");

    /// <summary>METERTWIN_WRITE_SAMPLES=1 writes the page anew, after a meant change of the catalogue.</summary>
    [Fact]
    public void The_page_is_the_catalogue()
    {
        if (Environment.GetEnvironmentVariable("METERTWIN_WRITE_SAMPLES") == "1")
            File.WriteAllText(PagePath, AttackTable.Page());
        Assert.Equal(AttackTable.Page(), File.ReadAllText(PagePath));
    }

    [Fact]
    public void Every_entry_is_listed_with_what_is_expected()
    {
        var list = AttackTable.List();
        Assert.All(Catalogue.All, a => Assert.Contains(a.Id + "  ", list));
        Assert.Contains("must not alarm", list);
        Assert.Equal(Catalogue.All.Count, Catalogue.All.Select(AttackTable.Row).Count(r => r.Expected.Length > 0));
    }

    [Fact]
    public void A_table_has_a_mark_for_each_result()
    {
        AttackResult Result(string id, string status) =>
            new(id, "operation", "", "unknown_image", [], status, "why", 7_200, 0)
            {
                Responses =
                    [new AttackResponse("MT-1", "block writes", "done", "2026-01-09T10:15:00Z", true, "because")],
            };
        var table = AttackTable.Of([Result("T01", AttackResult.Passed), Result("T02", AttackResult.Failed),
            Result("L21", AttackResult.Undetectable)]);
        Assert.Contains("✓ T01", table);
        Assert.Contains("after 2 h", table);
        Assert.Contains("✗ T02", table);
        Assert.Contains("2026-01-09T10:15:00Z block writes done, MT-1: because", table);
        Assert.Contains("○ L21", table);
        Assert.Contains("1 passed, 1 failed, 1 undetectable; 0 grave findings on bystanders", table);
    }
}
