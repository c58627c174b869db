import { assertEquals } from "@std/assert";
import { planVideos } from "../../tasks/inputs/video_recipe.ts";

const SET = { durationsS: [30, 60, 120, 180], width: 1920, height: 1080, seed: 1 };

Deno.test("planVideos() gives a third of a set each noise, and all fifteen pairs", () => {
  const videos = planVideos({ ...SET, perDuration: 15 });
  assertEquals(videos.length, 60);
  for (const noise of ["none", "low", "medium"]) {
    assertEquals(videos.filter((video) => video.noise === noise).length, 20);
  }
  const first = videos.slice(0, 15).map(({ pattern, noise }) => `${pattern} ${noise}`);
  assertEquals(new Set(first).size, 15);
});

Deno.test("planVideos() gives each file a name and a seed of its own", () => {
  const videos = planVideos({ ...SET, perDuration: 7 });
  assertEquals(new Set(videos.map(({ name }) => name)).size, 28);
  assertEquals(new Set(videos.map(({ seed }) => seed)).size, 28);
});
