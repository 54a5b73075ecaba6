// The same job in Danger JS, as directly as it can be written: read the entry before and after, count
// what the nominee wrote and reviewed, read the maintainers, and say it in one comment with a status.
const { danger, markdown, schedule } = require("danger");

const GATEWAY = process.env.BENCH_GATEWAY;
const GROUP = encodeURIComponent(process.env.BENCH_GROUP);
const STATUS = "nomination-bot";

schedule(async () => {
  const api = danger.gitlab.api;
  const mr = danger.gitlab.mr;
  const base = process.env.DANGER_GITLAB_HOST + "/api/v4";
  const headers = { "PRIVATE-TOKEN": process.env.DANGER_GITLAB_API_TOKEN };
  const get = async (path) => (await fetch(base + path, { headers })).json();
  const paths = [...danger.git.modified_files, ...danger.git.created_files];
  const entry = paths.find((path) => path.startsWith("data/team_members/person/"));
  const file = (ref) => get(`/projects/${mr.project_id}/repository/files/${encodeURIComponent(entry)}?ref=${ref}`);
  const text = async (ref) => Buffer.from((await file(ref)).content, "base64").toString();
  const before = await text(mr.diff_refs.base_sha);
  const after = await text(mr.diff_refs.head_sha);
  if (!/ai-gateway: maintainer/.test(after) || /ai-gateway: maintainer/.test(before)) return;
  const name = after.match(/gitlab: (\S+)/)[1];
  const list = (query) =>
    get(`/projects/${encodeURIComponent(GATEWAY)}/merge_requests?state=merged&scope=all&per_page=100&${query}`);
  const authored = await list(`author_username=${name}`);
  const assigned = await list(`reviewer_username=${name}`);
  let reviewed = 0;
  for (const each of assigned.slice(0, 5)) {
    const approvals = await get(`/projects/${each.project_id}/merge_requests/${each.iid}/approvals`);
    if (approvals.approved_by.some((one) => one.user.username === name)) reviewed += 1;
  }
  const members = await get(`/groups/${GROUP}/members?per_page=100`);
  const commits = await get(
    `/projects/${mr.project_id}/repository/commits?path=${encodeURIComponent(entry)}&ref_name=main`
  );
  const ready = authored.length >= 5 && reviewed >= 5;
  await fetch(`${base}/projects/${mr.project_id}/statuses/${mr.diff_refs.head_sha}`, {
    method: "POST",
    headers: { ...headers, "Content-Type": "application/json" },
    body: JSON.stringify({ state: ready ? "success" : "failed", name: STATUS, ref: mr.source_branch }),
  });
  markdown(
    `| requirement | found |\n| --- | --- |\n| authored | ${authored.length} |\n| reviewed | ${reviewed} |\n` +
      `| maintainers | ${members.length} |\n| commits | ${commits.length} |\n`
  );
});
