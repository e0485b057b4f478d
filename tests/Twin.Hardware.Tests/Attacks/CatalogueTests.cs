using Twin.Hardware.Attacks;

namespace Twin.Hardware.Tests.Attacks;

public class CatalogueTests
{
    /// <summary>Ids of ATT&amp;CK for ICS v18.1 that concern meters.</summary>
    private static readonly HashSet<string> Techniques =
    [
        .. ("T0800 T0803 T0804 T0806 T0809 T0812 T0813 T0814 T0815 T0816 T0819 T0820 T0826 T0827 T0828 T0829 T0830 "
            + "T0831 T0832 T0836 T0837 T0838 T0839 T0842 T0848 T0849 T0851 T0855 T0856 T0857 T0858 T0859 T0860 T0862 "
            + "T0866 T0869 T0872 T0878 T0879 T0880 T0882 T0887 T0889 T0890 T0891 T0892 T0893 T0895").Split(' '),
    ];

    /// <summary>Faults, theft and innocent causes: nobody's technique.</summary>
    private static readonly string[] WithoutTechnique =
    [
        "T07", "T08", "T18", "T19", "T20", "T21", "T22", "T23", "T24", "T26", "T27", "T28", "T29", "T30", "T31", "T32",
        "T34", "T39", "T40", "L07", "L09", "L13", "L17", "L19", "L29",
    ];

    public static TheoryData<string> Ids => [.. Catalogue.All.Select(a => a.Id)];

    [Fact]
    public void All_forty_of_operation_are_there_and_ids_are_in_order()
    {
        var ids = Catalogue.All.Select(a => a.Id).ToList();
        Assert.Equal(Enumerable.Range(1, 40).Select(n => $"T{n:00}"), ids.Where(id => id[0] == 'T'));
        Assert.Equal(ids.Distinct(), ids);
        foreach (var series in "LN")
        {
            var own = ids.Where(id => id[0] == series).ToList();
            Assert.Equal(Enumerable.Range(1, own.Count).Select(n => $"{series}{n:00}"), own);
        }
    }

    [Theory]
    [MemberData(nameof(Ids))]
    public void An_entry_is_complete(string id)
    {
        var a = Catalogue.Find(id)!;
        Assert.True(a.Name.Length > 0 && a.Description.EndsWith('.') && a.Basis.Length > 0, id);
        Assert.Equal(!WithoutTechnique.Contains(id), a.Technique.Length > 0);
        if (a.Technique.Length > 0) Assert.Contains(a.Technique, Techniques);
        Assert.NotEmpty(a.Truth.Meters);
        Assert.InRange(a.Truth.OnsetDay, 0, a.Scene.Days - 1);
        Assert.All(a.Scene.Acts, act => Assert.InRange(act.Day, 0, a.Scene.Days - 1));
        Assert.All(a.Scene.Acts, act => Assert.InRange(act.Minute, 0, 24 * 60 - 1));
        Assert.True(a.Scene.Acts.Length + a.Scene.Births.Count > 0 || a.Scene.Kind != SceneKind.Usual,
            $"{id} has no act");
        Assert.All(a.Expected.AllOf, any => Assert.NotEmpty(any));
    }

    [Theory]
    [MemberData(nameof(Ids))]
    public void A_response_is_proportionate(string id)
    {
        var a = Catalogue.Find(id)!;
        Assert.True(a.Response.Sufficient <= a.Response.MostAutomatic, id);
        Assert.True(a.Response.MostAutomatic <= ResponseRung.IsolateCommunications,
            $"{id}: nothing of the catalogue may switch a customer off without a human.");
        Assert.Equal(a.Expected.IsSilence, a.Response.InForceMinutes == 0);
        if (a.Technique.Length == 0) Assert.True(a.Response.MostAutomatic <= ResponseRung.RotateKeys, id);
    }

    [Fact]
    public void At_most_three_are_undetectable_each_with_a_reason()
    {
        var blind = Catalogue.All.Where(a => a.Undetectable.Length > 0).ToList();
        Assert.InRange(blind.Count, 0, Attack.MaxUndetectable);
        Assert.All(blind, a => Assert.EndsWith(".", a.Undetectable));
    }

    [Fact]
    public void Every_check_of_attestation_keys_commands_device_and_network_is_needed_by_an_attack()
    {
        var needed = Catalogue.All.Where(a => a.Undetectable.Length == 0)
            .SelectMany(a => a.Expected.Kinds).ToHashSet();
        var lacking = Enum.GetValues<FindingKind>().Where(k =>
            k is >= FindingKind.ChainBroken and < FindingKind.ResponseUnconfirmed && !needed.Contains(k));
        // A gap in the numbers takes a kernel that lies of its own log; its check has tests of its own.
        Assert.Equal([FindingKind.SequenceGap], lacking);
    }

    [Fact]
    public void An_entry_is_found_whatever_its_case()
    {
        Assert.Equal("T01", Catalogue.Find("t01")!.Id);
        Assert.Null(Catalogue.Find("T99"));
    }
}
